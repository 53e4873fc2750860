"""Where the words of a phrase mean something else beside those around them. Pure, mostly data.

"Batuk darah tinggi" is a cough and a blood pressure, no blood. Only what is sure stands here: a
danger sign that is taken away by mistake costs more than one that is shown in vain.
"""

from collections.abc import Mapping

from clinic.denials import Words

_WEIGHT_LOSS = {(word,) for word in ("turun", "menurun", "susut", "menyusut", "berkurang", "naik")}
_BLOOD_VALUES = {("darah", "tingi"), ("darah", "rendah"), ("darah", "manis")}
_OFTEN = frozenset({"sering", "suka", "kadang", "selalu", "juga", "masih"})


def _by_phrase(table: Mapping[str, str]) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Folded phrases and words, both parted by commas."""
    return {
        tuple(phrase.split()): [tuple(part.split()) for part in words.split(", ")]
        for phrases, words in table.items()
        for phrase in phrases.split(", ")
    }


# What stands right behind the phrase, in its own clause.
_FOLLOWED = _by_phrase(
    {
        "tersiram, kesiram, ketumpahan": "hujan, air hujan, air dingin, air es",
        "luka dalam": "mulut, hidung, telinga",
        "kontrol luka": "kelamin",
        "luka digigit": "semut, nyamuk, serangga, kutu, tomcat, ulat",
        "kejang": "betis, otot betis, otot kaki, otot paha",
        "stroke baru": "habis, pulang, keluar, selesai, kontrol, dirawat",
        "napas satu": "hari, mingu, bulan, tahun, jam",
        "jantung sakit, jantung nyeri": "gigi, kepala, perut, pingang, tengorokan, lutut, kaki, "
        "mata, telinga, sendi",
        "pro cabut, mau cabut, minta cabut, rencana cabut": "implan, implant, susuk, iud, spiral, "
        "kb, akdr, akbk, kuku, jahitan, jahit, benang, infus, kateter",
        "lepas benang, angkat benang, buka benang, cabut benang": "iud, spiral, kb, akdr",
        "keluar air": "mata, liur, susu",
        "tidak merespon": "obat, pengobatan, terapi, antibiotik",
        "badan biru, muka biru, wajah biru, biru": "lebam, memar, dicubit, dipukul",
    }
)
# What stands right before it, "sering" and the like passed over: "gusi sering keluar darah".
_PRECEDED = _by_phrase(
    {
        "keluar air": "mata, hidung, pilek, telinga, asi, puting",
        "keluar darah, darah keluar, keluar sedikit darah, keluar bercak darah, bercak darah, "
        "keluar lendir darah, lendir darah, keluar cairan darah, keluar gumpalan darah": "mata, "
        "hidung, pilek, telinga, gusi, gigi, mimisan, puting, asi, wasir, ambeien",
        "berdarah": "gusi, gigi, hidung, telinga, mimisan, puting, demam, wasir, ambeien, bab, "
        "berak, luka, kutil, jerawat, bisul, koreng, bibir",
        "berdarah terus, keluar darah terus": "gusi, gigi, wasir, ambeien, bab, berak, haid, kb, "
        "kutil, jerawat, bisul, koreng, bibir",
        "mencong": "gigi, kuku",
        "dada ditekan": "di, pada, benjolan",
        "dada tertarik, dada ketarik": "otot",
        "biru": "bercak, lebam, memar, baju, warna, bintik, tanda, urat, pil, obat, lampu, tompel, "
        "kuku, kaki, pantat, dahi, jidat, lutut, pipi, kaca, lahir",
        "lahir biru": "tanda",
    }
)
# What is told anywhere before it: where the blood comes from, what failed.
_AFTER = _by_phrase(
    {
        "keluar darah dari mulut, darah keluar dari mulut": "gusi, gigi, gg, sariawan",
        "tidak merespon": "pengobatan, terapi, antibiotik",
        "badan biru, muka biru, wajah biru, biru": "lebam, memar, dicubit, dipukul",
    }
)
# Who is short of breath is blue from that, however much he was beaten.
_BLUE = frozenset(_by_phrase({"badan biru, muka biru, wajah biru, biru": ""}))
_BREATHLESS = frozenset({"sesak", "napas", "bernapas", "tersedak", "kejang", "pingsan"})
# With what stands on both sides of the phrase.
_WITHIN = {("cek", "darah", "keluar", "hasil"), ("tes", "darah", "keluar", "hasil")} | {
    ("kram", "kejang", part) for part in ("kaki", "betis", "paha", "jari", "tangan")
}


def is_namesake(read: Words, start: int, end: int) -> bool:
    """Whether the words of this phrase belong to something else here."""
    is_beside = _is_followed(read, start, end) or _is_preceded(read, start, end)
    is_beside = is_beside or read.words[max(start - 1, 0) : end + 1] in _WITHIN
    return is_beside or _is_after(read, start, end) or _is_measure(read, end)


def _is_measure(read: Words, end: int) -> bool:
    """ "Batuk darah tinggi" is a blood pressure, "sesak berat badan turun" a weight."""
    words, pair = read.words, read.words[end - 1 : end + 1]
    if end in read.breaks or words[end - 2 : end - 1] == ("gula",):
        return False
    is_weight = pair == ("berat", "badan") and words[end + 1 : end + 2] in _WEIGHT_LOSS
    return is_weight or pair in _BLOOD_VALUES


def _is_followed(read: Words, start: int, end: int) -> bool:
    behind = () if end in read.breaks else _FOLLOWED.get(read.words[start:end], ())
    return any(read.words[end : end + len(words)] == words for words in behind)


def _is_preceded(read: Words, start: int, end: int) -> bool:
    before = _PRECEDED.get(read.words[start:end])
    at = start
    while before and at and at not in read.breaks and read.words[at - 1] in _OFTEN:
        at -= 1
    return bool(before and at and at not in read.breaks and (read.words[at - 1],) in before)


def _is_after(read: Words, start: int, end: int) -> bool:
    told = _AFTER.get(read.words[start:end], ())
    if read.words[start:end] in _BLUE and not _BREATHLESS.isdisjoint(read.words):
        return False
    return any((word,) in told for word in read.words[:start])
