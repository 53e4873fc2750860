"""Accounts: passphrases, rooms, whom a name belongs to."""

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import exists, func, select, update

from clinic import audit
from db import add_row, db, utcnow
from models import LoginSession, Patient, Poli, Role, User, UserPoli
from validators import FieldError, clean_text

MIN_PASSPHRASE = 15
DEMO_PASSPHRASE = "coba-alur-sekarang"  # noqa: S105  public: `make run` prints it, in a demo only
# What guesses begin with; a passphrase is judged by what is left without it.
COMMON = (
    *(
        "password",
        "passphrase",
        "passwd",
        "katasandi",
        "sandi",
        "rahasia",
        "admin",
        "administrator",
    ),
    *("puskesmas", "pkm", "klinik", "kesehatan", "sehat", "satusehat", "pcare", "bpjs", "pasien"),
    *("kepala", "dokter", "perawat", "bidan", "petugas", "loket", "indonesia", "merdeka", "alur"),
    *("selamat", "pagi", "datang", "masuk", "login", "welcome", "letmein", "iloveyou", "sayang"),
    *("bismillah", "alhamdulillah", "ganti", "default", "test"),
    DEMO_PASSPHRASE.replace("-", ""),
)
# Keys and letters that stand in a row, forward or back, from this many on; 9 goes on with 0.
RUN = 4
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz")
ROWS += ("1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm")
MIN_LEFT = 8
TOO_COMMON = (
    "Kata sandi ini terlalu umum atau mudah ditebak: pakai empat kata yang tak berkaitan, tanpa "
    "nama puskesmas, nama sendiri, ulangan, atau urutan seperti 12345."
)
NOT_THE_SAME = "Kedua kata sandi tidak sama. Ketik lagi keduanya."
WAIT = "Terlalu banyak percobaan. Tunggu {} detik, lalu coba lagi."

USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,39}$")
USERNAME_HINT = "Pakai 2-40 huruf kecil, angka, titik, atau garis, misalnya rina.w"
LONGEST_NAME = 80

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# 19 MiB each: forty log-ins at 07.30 must not fill a small machine's memory.
_one_at_a_time = threading.BoundedSemaphore(1)
# Each that waits holds a thread of the web server (it has 8), which queues and saves need too.
IN_LINE = 3
_line = threading.BoundedSemaphore(IN_LINE)
# Verified when there is no such account, so that both answers take the same time.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "Q0l4Q2N0a1l0a2NqbGtqbGtqbGtqbGtqbGtqbGtqbGs"
)


class TooManyAtOnce(RuntimeError):
    """As many passphrases as may wait are being compared; this one was not looked at."""


class PassphraseError(ValueError):
    """A passphrase that is too weak, with a sentence that says what to do."""


def parse_username(text: str) -> str:
    """The name to log in with, upper case made lower. Raises FieldError."""
    name = text.strip().lower()
    if not USERNAME.match(name):
        raise FieldError("USERNAME", USERNAME_HINT)
    return name


def parse_display_name(text: str) -> str:
    """A person's name as screens show it. Raises FieldError."""
    name = clean_text(text, LONGEST_NAME)
    if not name:
        raise FieldError("NAME", "Isi nama lengkap.")
    return name


def check_passphrase(passphrase: str, username: str, *names: str) -> None:
    """Length and what is left to guess, not composition (NIST SP 800-63B). Raises PassphraseError.

    `names`: the clinic's and the person's, whose words everybody tries.
    """
    if len(" ".join(passphrase.split())) < MIN_PASSPHRASE:
        raise PassphraseError(
            f"Kata sandi minimal {MIN_PASSPHRASE} huruf. Pakai empat kata yang mudah diingat."
        )
    left = _hard_to_guess(passphrase, [username, *names])
    if len(left) < MIN_LEFT or len(set(left)) < 5:
        raise PassphraseError(TOO_COMMON)


def _hard_to_guess(passphrase: str, names: list[str]) -> str:
    """Its letters and digits without known words, runs of keys, and what is repeated."""
    known = {*COMMON, *(word for name in names for word in (_plain(name), *_words(name)))}
    rest = _plain(passphrase)
    for word in sorted(known, key=len, reverse=True):
        if len(word) > 2:
            rest = rest.replace(word, " ")  # a gap: what stands around it is no word together
    rest = _RUNS.sub(" ", rest)
    return _REPEATED.sub(r"\1", rest).replace(" ", "")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def _plain(text: str) -> str:
    return "".join(_words(text))


def _runs() -> re.Pattern[str]:
    """Neighbours of a row, `RUN` or more of them; overlapping ones as one."""
    turns = [line for row in ROWS for line in (row + row, row[::-1] * 2)]
    pieces = {line[at : at + RUN] for line in turns for at in range(len(line) - RUN + 1)}
    return re.compile("(?:(?=(?:" + "|".join(sorted(pieces)) + ")).)+.{" + str(RUN - 1) + "}")


_RUNS = _runs()
_REPEATED = re.compile(r"(.+?)\1+")


def hash_passphrase(passphrase: str) -> str:
    """Argon2id; tens of milliseconds, so never inside a transaction. Blanks around it are slips."""
    with _one_at_a_time:
        return hasher.hash(passphrase.strip())


def matches(user: User | None, passphrase: str) -> bool:
    """Whether the passphrase is the account's; takes as long when there is no account.

    As typed too: earlier versions kept the blanks around it. Raises TooManyAtOnce.
    """
    wanted = user.password_hash if user else _NOBODY
    with _in_line(), _one_at_a_time:
        return any(
            _verifies(wanted, typed) for typed in dict.fromkeys((passphrase.strip(), passphrase))
        )


@contextmanager
def _in_line() -> Iterator[None]:
    if not _line.acquire(blocking=False):
        raise TooManyAtOnce
    try:
        yield
    finally:
        _line.release()


def _verifies(wanted: str, passphrase: str) -> bool:
    try:
        return hasher.verify(wanted, passphrase)
    except (VerificationError, InvalidHashError):
        return False


def by_username(username: str) -> User | None:
    """The active account of this name, upper or lower case alike."""
    found = select(User).where(User.username == username.strip().lower(), User.is_active)
    return db.session.scalar(found)


def create_user(
    actor: audit.Actor,
    *,
    username: str,
    display_name: str,
    password_hash: str,
    role: Role,
    rooms: list[str] = (),
    practitioner_id: int | None = None,
) -> User:
    """A new account; `rooms` are poli codes."""
    user = add_row(
        User(
            username=username.strip().lower(),
            display_name=display_name,
            password_hash=password_hash,
            role=role,
            practitioner_id=practitioner_id,
        )
    )
    set_rooms(user, rooms)
    audit.record(actor, "create_user", user, details=str(role))
    return user


def set_rooms(user: User, codes: list[str]) -> None:
    """Bind the account to exactly these rooms; a binding ends, it is not removed."""
    wanted = set(db.session.scalars(select(Poli.id).where(Poli.code.in_(codes))))
    bound = {
        row.poli_id: row
        for row in db.session.scalars(select(UserPoli).where(UserPoli.user_id == user.id))
    }
    for poli_id, row in bound.items():
        row.is_active = poli_id in wanted
    for poli_id in wanted - set(bound):
        db.session.add(UserPoli(user_id=user.id, poli_id=poli_id))
    db.session.flush()
    db.session.expire(user, ["rooms"])


def rooms_without_staff() -> list[Poli]:
    """Open rooms that no open account works in; the head, who may serve in all, is no room's."""
    works_there = (
        select(UserPoli.poli_id)
        .join(User, User.id == UserPoli.user_id)
        .where(UserPoli.is_active, User.is_active, User.role == Role.POLI)
    )
    found = select(Poli).where(Poli.is_active, Poli.id.not_in(works_there))
    return list(db.session.scalars(found.order_by(Poli.position, Poli.id)))


def is_new_clinic() -> bool:
    """Whether there is nothing yet but the first head's account."""
    in_use = select(func.count(User.id)).where(User.is_active).scalar_subquery()
    return db.session.scalar(select((in_use == 1) & ~exists(select(Patient.id))))


def end_all_sessions() -> None:
    """Whoever was logged in, in a database that was restored, logs in again."""
    open_ones = update(LoginSession).where(LoginSession.ended_at.is_(None))
    db.session.execute(open_ones.values(ended_at=utcnow()))
