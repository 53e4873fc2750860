"""The recovery card: what is printed can be typed, and a slip is found in its line."""

import pytest

from clinic import backup_keys
from clinic.backup_keys import KeyProblem

SECRET = "AGE-SECRET-KEY-1ZAMJMPCS6VX0TY90SJGWUT9Y9EY0NA7L4LYHF6FQ30UJLK7CDSSQZVSU26"
PUBLIC = "age1pyexdmjlt598273rkak62w80mel882hcewdrt5nyg8yw46fwrceqvk5ltw"
LINES = backup_keys.card_lines(SECRET)


def test_the_card_can_be_typed_as_people_type():
    assert backup_keys.parse_secret("\n".join(LINES)) == SECRET
    plain = "\n".join(line[3:].replace(" ", "").lower() for line in LINES)
    assert backup_keys.parse_secret(f"\n{plain}\n\n") == SECRET, "no numbers, spaces, capitals"
    assert backup_keys.parse_secret(f"  {SECRET.lower()} \r\n") == SECRET, "scanned"


def test_each_single_slip_is_found_in_its_line():
    for number, line in enumerate(LINES):
        for place in range(3, len(line)):
            if line[place] == " ":
                continue
            wrong = line[:place] + ("Q" if line[place] != "Q" else "P") + line[place + 1 :]
            typed = [*LINES[:number], wrong, *LINES[number + 1 :]]
            with pytest.raises(KeyProblem, match=f"baris {number + 1}\\."):
                backup_keys.parse_secret("\n".join(typed))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("\n".join([LINES[1], LINES[0], *LINES[2:]]), "baris 1, 2"),
        ("\n".join(LINES[:-1]), "6 baris; yang diketik 5"),
        ("", "yang diketik 0"),
        (SECRET[:-1], "tidak lengkap"),
        (SECRET[:-1] + "7", "salah ketik"),
        ("\n".join([*LINES[:-1], LINES[-1][:-3]]), "baris 6"),
    ],
)
def test_other_slips_get_a_sentence(typed, sentence):
    with pytest.raises(KeyProblem, match=sentence):
        backup_keys.parse_secret(typed)


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
    backup_keys.confirm(tmp_path, first.proof.lower())
    assert backup_keys.pending(tmp_path) is None
    assert first.secret.encode() not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert backup_keys.own_signing_key(tmp_path) == backup_keys.signing_key(first.secret)

    backup_keys.make(tmp_path)
    second = backup_keys.pending(tmp_path)
    assert backup_keys.public_key(tmp_path) == first.public
    with pytest.raises(KeyProblem, match="baris 6"):
        backup_keys.confirm(tmp_path, "??")
    backup_keys.confirm(tmp_path, second.proof)
    assert backup_keys.public_key(tmp_path) == second.public
    assert all(one.stat().st_mode & 0o077 == 0 for one in tmp_path.iterdir())
