"""The recovery card: what is printed can be typed, and each slip is found and named."""

import random
from itertools import combinations

import pytest
from pyrage import x25519

from clinic import backup_keys, card_words
from clinic.backup_keys import KeyProblem
from clinic.card_words import WORDS

SECRET = "AGE-SECRET-KEY-1ZAMJMPCS6VX0TY90SJGWUT9Y9EY0NA7L4LYHF6FQ30UJLK7CDSSQZVSU26"
PUBLIC = "age1pyexdmjlt598273rkak62w80mel882hcewdrt5nyg8yw46fwrceqvk5ltw"
CARD = backup_keys.Card(SECRET, PUBLIC, [], 0).words
OLD = [
    "1. ZAMJM PCS6V 2Q",
    "2. X0TY9 0SJGW K8",
    "3. UT9Y9 EY0NA 3J",
    "4. 7L4LY HF6FQ QG",
    "5. 30UJL K7CDS 3S",
    "6. SQZVS U26 YY",
]


# --- The list -------------------------------------------------------------------------------------


def _is_near(one: str, other: str) -> bool:
    """Whether a letter less, more, changed, or two exchanged make one of the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [at for at, pair in enumerate(zip(one, other, strict=True)) if len({*pair}) > 1]
        return len(differ) < 2 or sorted(one) == sorted(other) and len(differ) == 2
    short, long = sorted((one, other), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def test_the_words_can_be_told_apart():
    assert len(WORDS) == len(set(WORDS)) == 256
    assert sorted(WORDS) == WORDS
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)
    assert all(4 <= len(word) <= 7 for word in WORDS)
    assert len({word[:4] for word in WORDS}) == 256
    assert [pair for pair in combinations(WORDS, 2) if _is_near(*pair)] == []


# --- Words ----------------------------------------------------------------------------------------


def test_each_key_comes_back_from_its_words():
    for _ in range(200):
        secret = str(x25519.Identity.generate())
        words = backup_keys.Card(secret, "", [], 0).words
        assert backup_keys.parse_secret(" ".join(words)) == secret


def test_the_card_can_be_typed_as_people_type():
    numbered = "\n".join(f"{at}. {word}" for at, word in enumerate(CARD, 1))
    for typed in (
        numbered.upper(),
        "  \r\n".join(word[:4].title() for word in CARD),
        ", ".join(CARD),
        "".join(f"{at}{word}" for at, word in enumerate(CARD, 1)),
        f"  {SECRET.lower()} \r\n",
        f"{SECRET[:30]}\n{SECRET[30:]}",
    ):
        assert backup_keys.parse_secret(typed) == SECRET


def test_every_wrong_word_of_the_list_and_every_exchange_is_found():
    chance = random.Random(5)
    wrong = [(at, word) for at in range(34) for word in chance.sample(WORDS, 60)]
    for at, word in wrong:
        if word != CARD[at]:
            with pytest.raises(KeyProblem, match="tertukar"):
                card_words.read(" ".join([*CARD[:at], word, *CARD[at + 1 :]]))
    for one, other in combinations(range(34), 2):
        typed = list(CARD)
        typed[one], typed[other] = typed[other], typed[one]
        if typed != CARD:
            with pytest.raises(KeyProblem, match="tertukar"):
                card_words.read(" ".join(typed))


def test_every_slip_of_a_letter_is_named_by_its_place():
    for at, word in enumerate(CARD):
        for place in range(len(word)):
            typed = [*CARD[:at], word[:place] + "q" + word[place + 1 :], *CARD[at + 1 :]]
            with pytest.raises(KeyProblem, match=f"^Kata ke-{at + 1} '"):
                backup_keys.parse_secret(" ".join(typed))


def test_an_unknown_word_comes_with_the_nearest():
    typed = " ".join([*CARD[:6], "kertass", "zzzz", *CARD[8:]])
    with pytest.raises(KeyProblem) as problem:
        backup_keys.parse_secret(typed)
    assert str(problem.value) == (
        "Kata ke-7 'kertass' tidak ada di daftar; maksudnya 'kertas'? "
        "Kata ke-8 'zzzz' tidak ada di daftar."
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (" ".join(CARD[:-1]), "34 kata; yang diketik 33"),
        (" ".join([*CARD, CARD[0]]), "34 kata; yang diketik 35"),
        ("", "yang diketik 0"),
        (SECRET[:-1], "tidak lengkap"),
        (SECRET[:-1] + "7", "salah ketik"),
    ],
)
def test_other_slips_get_a_sentence(typed, sentence):
    with pytest.raises(KeyProblem, match=sentence):
        backup_keys.parse_secret(typed)


def test_typed_line_by_line_it_is_whole_with_the_last_word():
    lines = [" ".join(CARD[at : at + 4]) for at in range(0, 34, 4)]
    for count in range(len(lines)):
        assert backup_keys.parse_part("\n".join(lines[:count])) == ""
    assert backup_keys.parse_part("\n".join(lines)) == SECRET
    assert backup_keys.parse_part(SECRET) == SECRET
    assert backup_keys.parse_part("\n".join(OLD[:5])) == ""
    assert backup_keys.parse_part("\n".join(OLD)) == SECRET


# --- Cards from before there were words -----------------------------------------------------------


def test_an_old_card_is_still_read():
    assert backup_keys.parse_secret("\n".join(OLD)) == SECRET
    plain = "\n".join(line[3:].replace(" ", "").lower() for line in OLD)
    assert backup_keys.parse_secret(f"\n{plain}\n\n") == SECRET, "no numbers, spaces, capitals"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([OLD[1], OLD[0], *OLD[2:]], "baris 1, 2"),
        ([*OLD[:2], OLD[2].replace("J", "Q"), *OLD[3:]], "baris 3"),
        ([*OLD[:-1], OLD[-1][:-3]], "baris 6"),
        (OLD[:-1], "6 baris; yang diketik 5"),
    ],
)
def test_an_old_cards_slip_is_found_in_its_line(lines, sentence):
    with pytest.raises(KeyProblem, match=sentence):
        backup_keys.parse_secret("\n".join(lines))


# --- Keys -----------------------------------------------------------------------------------------


def test_a_public_key_is_checked():
    assert backup_keys.parse_public(f" {PUBLIC.upper()} ") == PUBLIC
    assert backup_keys.parse_public("") == ""
    for wrong in (PUBLIC[:-1], PUBLIC.replace("p", "q", 1), "ssh-ed25519 AAAA", SECRET):
        with pytest.raises(KeyProblem):
            backup_keys.parse_public(wrong)


def test_a_key_is_used_at_once_the_next_one_when_its_card_is_printed(tmp_path):
    backup_keys.make(tmp_path)
    first = backup_keys.pending(tmp_path)
    assert backup_keys.public_key(tmp_path) == first.public
    backup_keys.confirm(tmp_path, f"34. {first.proof.upper()}")
    assert backup_keys.pending(tmp_path) is None
    assert first.secret.encode() not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert backup_keys.own_signing_key(tmp_path) == backup_keys.signing_key(first.secret)

    backup_keys.make(tmp_path)
    second = backup_keys.pending(tmp_path)
    assert backup_keys.public_key(tmp_path) == first.public
    with pytest.raises(KeyProblem, match="kata ke-34"):
        backup_keys.confirm(tmp_path, "??")
    backup_keys.confirm(tmp_path, second.proof)
    assert backup_keys.public_key(tmp_path) == second.public
    assert all(one.stat().st_mode & 0o077 == 0 for one in tmp_path.iterdir())
