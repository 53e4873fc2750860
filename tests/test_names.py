"""The folded keys of Indonesian names."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import name_index
from clinic.names import fold, name_tokens, prefix_tokens, search_words


def tokens(name: str) -> tuple[str, ...]:
    return name_tokens(name).tokens


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  siti   aminah ", "SITI AMINAH"),
        ("Ma'ruf", "MARUF"),
        ("Jum’at", "JUMAT"),
        ("Ma‘ruf", "MARUF"),
        ("Đorđe", "DORDE"),
        ("André-Łukasz", "ANDRE LUKASZ"),
        ("Rt.01/RW.02", "RT 01 RW 02"),
        ("𝓢𝓲𝓽𝓲", "SITI"),
        ("<b>Siti</b>", "B SITI B"),
        ("😀", ""),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # titles and degrees
        ("Hj. Siti Aminah, S.Pd., M.Kes", "Siti Aminah"),
        ("Tn. Budi Santoso", "Budi Santoso"),
        ("drg. Rina A.Md.Keb", "Rina"),
        ("Budi Santoso S.T.", "Budi Santoso"),
        ("AMINAH, NY", "Aminah"),
        ("An. Rizky", "Rizki"),
        ("Mbak Rina", "Rina"),
        ("Mas Agus", "Agus"),
        ("Saudari Rina", "Sdri. Rina"),
        ("Nenek Rina", "Rina"),
        ("Almh. Rina", "Rina"),
        ("Njonja Rina", "Rina"),
        ("K.H. Hasan", "KH Hasan"),
        ("K. H. Hasan", "Hasan"),
        ("TGH. Umar", "Umar"),
        ("Ustad Umar", "Ustadz Umar"),
        ("R.A. Kartini", "Raden Kartini"),
        ("Rr. Rina", "Raden Roro Rina"),
        ("Bd. Rina, S.Keb", "Rina"),
        ("apt. Rina, S.Farm", "Rina"),
        ("Budi, S.T., M.T.", "Budi"),
        ("Budi, Lc., M.A.", "Budi"),
        ("Budi S.Pd.I, M.Pd.I", "Budi"),
        ("Budi, S.Hum", "Budi"),
        ("Prof. Dr. H. Budi, Sp.PD", "Budi"),
        # alias families
        ("M. Yusuf", "Muhammad Jusup"),
        ("Moch. Yusuf", "Mohamad Yusuf"),
        ("Mhd Yusuf", "Muchammad Yusuf"),
        ("St. Aminah", "Siti Aminah"),
        ("Sitti Aminah", "Siti Aminah"),
        ("Abd. Rahman", "Abdoel Rachman"),
        ("H.M. Yusuf", "Muhammad Yusuf"),
        ("HM Yusuf", "Muhammad Yusuf"),
        ("Mhmd. Yusuf", "Muhammad Yusuf"),
        ("Moehammad Yusuf", "Muhammad Yusuf"),
        ("Mukhammad Yusuf", "Muhammad Yusuf"),
        ("Abdur Rahman", "Abd. Rachman"),
        ("Abdus Salam", "Abdul Salam"),
        ("Noor Aini", "Nur Aini"),
        ("IB Oka", "Ida Bagus Oka"),
        ("Gst. Ngr. Rai", "I Gusti Ngurah Rai"),
        ("Achmad", "Akhmad"),
        ("Noer Hidayat", "Nur Hidajat"),
        ("Wyn. Sudana", "I Wayan Sudana"),
        ("Bq. Hasnah", "Baiq Hasnah"),
        ("Md. Rai", "Made Rai"),
        ("Kt. Rai", "Ketut Rai"),
        ("Kdk. Rai", "Kadek Rai"),
        ("Dg. Rai", "Daeng Rai"),
        ("Kr. Sila", "Karaeng Sila"),
        ("IGN Rai", "I Gusti Ngurah Rai"),
        ("I. Gst. Md. Rai", "IGM Rai"),
        ("IGP Rai", "I Gusti Putu Rai"),
        ("IGK Rai", "I Gusti Ketut Rai"),
        ("Ni Wayan Rai", "Wayan Rai"),
        ("Siti bt Umar", "Siti binti Umar"),
        # old and regional spelling
        ("Soeharto", "Suharto"),
        ("Dwi Tjahjono", "Dwi Cahyono"),
        ("Soeprijadi", "Supriadi"),
        ("Djoko", "Joko"),
        ("Njoman", "Nyoman"),
        ("Sjamsoeddin", "Syamsudin"),
        ("Chairul", "Khairul"),
        ("Zainal", "Jaenal"),
        ("Taufiq", "Taofik"),
        ("Aisyah", "Aysha"),
        ("Alexander", "Aleksander"),
        ("Christina", "Kristina"),
        ("Suwarno", "Suarno"),
        ("Fatimah", "Fatima"),
        ("Sjarief", "Syarif"),
        ("Chotimah", "Khotimah"),
        ("Djamilah", "Jamila"),
        ("Ngatijem", "Ngatiyem"),
        ("Sulaeman", "Sulaiman"),
        ("Dzulkifli", "Julkipli"),
        ("Johannes", "Yohanes"),
        ("Stephanus", "Stefanus"),
        ("Jum'at", "Jumat"),
    ],
)
def test_same_key(one, other):
    assert name_tokens(one) == name_tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yanti", "Santi"),
        ("Eko", "Eka"),
        ("Rizki", "Rizal"),
        ("Siti", "Sita"),
        ("Hasan", "Husein"),
        ("Anak Agung Gede", "Gede"),
        ("Anak Agung Gede", "Agung Gede"),
        ("Budi M", "Budi Muhammad"),
        # the mother and the father of Sahnep, as they are called in Lombok
        ("Inaq Sahnep", "Sahnep"),
        ("Inaq Sahnep", "Amaq Sahnep"),
        # a surname, not a degree
        ("Lili Ma", "Lili"),
        ("Abdullah", "Abdul"),
    ],
)
def test_different_keys(one, other):
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    "name",
    [
        "By Ny Siti",
        "By. Ny. Siti",
        "Bayi Ny Siti",
        "Anak Ny. Siti",
        "Bayi dari Siti",
        "SITI, BY NY",
        "Bayi Ibu Siti",
        "BBL Ny Siti",
        "By Nyonya Siti",
        "Anak Pak Siti",
        "An. Tn. Siti",
        "By Tn Siti",
    ],
)
def test_baby_of_is_flagged(name):
    key = name_tokens(name)
    assert key.is_baby_of
    assert key.tokens == ("SITI",)


@pytest.mark.parametrize("name", ["Ny. Siti", "By. Siti", "An. Siti", "Siti", "Ibu Siti"])
def test_a_title_alone_is_no_baby_flag(name):
    key = name_tokens(name)
    assert not key.is_baby_of
    assert key.tokens == ("SITI",)


@pytest.mark.parametrize(
    "name",
    [
        *("By Ny Siti 2", "By Ny Siti II", "Bayi 2 Ny Siti", "By II Ny Siti"),
        *("Bayi Kembar 2 Ny Siti", "By Ny Siti kembar II", "By Ny Siti ke-2"),
    ],
)
def test_twins_keep_their_ordinal(name):
    assert tokens(name) == ("SITI", "2")
    assert search_words(name) == ["SITI"]
    assert tokens(name.replace("2", "3").replace("II", "III")) == ("SITI", "3")


def test_father_stands_apart():
    key = name_tokens("Siti Aminah binti H. Umar")
    assert key.tokens == ("SITI", "AMINA")
    assert key.father[-1] == "UMAR"
    assert tokens("Bin Umar") == ("BIN", "UMAR")


@pytest.mark.parametrize("name", ["", " ", "😀🎉", "...", "Ny.", "Tn", "123", "By Ny", "H. Hj."])
def test_nothing_to_compare(name):
    assert tokens(name) == ()
    assert prefix_tokens(name) == set()


def test_one_word_and_initials_stay():
    assert tokens("Suharti") == ("SUARTI",)
    assert tokens("Budi S") == ("BUDI", "S")
    assert tokens("M") == ("M",)
    assert tokens("Raden") == ("RADEN",)


def test_prefix_tokens():
    assert prefix_tokens("Muhammad Jusup") == {"MUAM", "JUSU"}
    assert prefix_tokens("M. Yusuf") == {"MUAM", "JUSU"}
    assert "SUAR" in prefix_tokens("Soeharto S.")
    assert "S" not in prefix_tokens("Soeharto S.")


def test_joined_words_meet_in_the_candidate_table():
    assert prefix_tokens("Nur Hayati") & prefix_tokens("Nurhayati")
    assert prefix_tokens("Siti Aminah") & prefix_tokens("Sitiaminah")


def test_search_words_of_whole_and_half_names():
    assert search_words("hj. st. aminah") == ["SITI", "AMINA"]
    assert search_words("abd") == ["ABD"]
    assert search_words("abd rahman") == ["ABDUL", "RAMAN"]
    assert search_words("mhd") == ["MUAMAD"]
    assert search_words("an") == ["AN"]
    assert search_words("7371010101900001") == []
    assert search_words("😀") == []


WELL_KNOWN = (
    "Siti Rahmawati Muhammad Yusuf Soeharto Sulastri Djoko Tjahjono Ayu Maya Surya Wahyu Achmad "
    "Khairul Zainal Syamsuddin Nyoman Ketut Abdurrahman Nurhaliza Fauziah Supriyadi Taufiq Jusuf "
    "Wijaya Rizky Christina Baiq Noer Suwarno Yayuk Aisyah Dzulkifli Febriyanti Maryam Steven Oey"
)
# The keystroke between the two letters of a digraph looks like another name.
DIGRAPHS = ("ch", "kh", "ck", "dj", "dz", "tj", "ts", "ee", "ei", "ey", "hr")


@pytest.mark.parametrize("name", WELL_KNOWN.split())
def test_typed_beginning_finds_the_name(name):
    (word,) = tokens(name)
    for end in range(1, len(name) + 1):
        typed = name[:end]
        if name[end - 1 : end + 1].lower() in DIGRAPHS or typed == "St":
            continue
        (key,) = search_words(typed)
        assert word.startswith(key), (typed, key, word)


PIECES = "By Ny Bayi An. bin binti , S.Pd Siti M. 2 II I H dr Soe 😀 ' ß ﷺ"
ANY_NAME = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(PIECES.split()),
        max_size=9,
    ).map(" ".join),
)


@given(ANY_NAME | st.integers(0, 100).map("\ufdfa".__mul__))  # one letter, spelled out 18
def test_no_text_breaks_the_keys(text):
    folded = fold(text)
    assert re.fullmatch(r"[A-Z0-9 ]*", folded)
    assert fold(folded) == folded
    key = name_tokens(text)
    assert all(re.fullmatch(r"[A-Z]{1,40}|[123]", word) for word in key.words)
    assert len(key.text) <= 120
    assert len(name_index.name_key(text)) <= 120
    assert all(re.fullmatch(r"[A-Z]+", word) for word in search_words(text))
    assert all(1 <= len(word) <= 4 for word in prefix_tokens(text))


@given(ANY_NAME)
def test_the_key_does_not_depend_on_case(text):
    if text.isascii():
        assert name_tokens(text.upper()) == name_tokens(text.lower())


# What these fold to, together: another digest means that stored keys no longer fit.
SAMPLE = (
    "Noerhajati; Moh. Djamaluddin; St. Khadijah binti Abd. Rahman; I Gusti Ngurah Wayan; "
    "By Ny Sri Rahayu; Tjut Nja' Dien; Yusuf Habibie, S.Pd.; Xaverius Quintus; Daeng Tata; 王小明; "
    "Kr. Sila; IGN Rai"
)
FOLDED = {2: "d5975ea035b00db5"}


def test_another_folding_is_another_version():
    """Raise `name_index.FOLDING` with it: the worker then rewrites what a clinic has stored."""
    found = [[name_index.name_key(n), *name_index.index_words(n)] for n in SAMPLE.split("; ")]
    digest = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    assert digest == FOLDED[name_index.FOLDING]
