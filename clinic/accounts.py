"""Accounts: passphrases, log in, waiting after wrong tries."""

import re
import threading
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update

from clinic import audit
from db import add_row, db, utcnow
from models import LoginSession, Poli, Role, User, UserPoli
from validators import FieldError, clean_text

MIN_PASSPHRASE = 15
DEMO_PASSPHRASE = "coba-alur-sekarang"  # noqa: S105  public: `make run` prints it, in a demo only
COMMON = ("password", "puskesmas", "12345678", "qwerty", "admin", "rahasia", "indonesia")
COMMON += (DEMO_PASSPHRASE, DEMO_PASSPHRASE.replace("-", " "))
FREE_TRIES = 3
LONGEST_WAIT = timedelta(minutes=5)

USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,39}$")
USERNAME_HINT = "Pakai 2-40 huruf kecil, angka, titik, atau garis, misalnya rina.w"
LONGEST_NAME = 80

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# 19 MiB each: forty log-ins at 07.30 must not fill a small machine's memory.
_one_at_a_time = threading.BoundedSemaphore(1)
# Verified when there is no such account, so that both answers take the same time.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "Q0l4Q2N0a1l0a2NqbGtqbGtqbGtqbGtqbGtqbGtqbGs"
)


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


def check_passphrase(passphrase: str, username: str) -> None:
    """Length, not composition (NIST SP 800-63B). Raises PassphraseError."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise PassphraseError(
            f"Kata sandi minimal {MIN_PASSPHRASE} huruf. Pakai empat kata yang mudah diingat."
        )
    plain = passphrase.lower()
    if username.lower() in plain or len(set(plain)) < 5:
        raise PassphraseError("Kata sandi jangan memuat nama pengguna atau huruf yang berulang.")
    if any(len(plain.replace(word, "")) < 6 for word in COMMON):
        raise PassphraseError("Kata sandi ini terlalu umum. Pakai empat kata yang tak berkaitan.")


def hash_passphrase(passphrase: str) -> str:
    """Argon2id; tens of milliseconds, so never inside a transaction."""
    with _one_at_a_time:
        return hasher.hash(passphrase)


def matches(user: User | None, passphrase: str) -> bool:
    """Whether the passphrase is the account's; takes as long when there is no account."""
    with _one_at_a_time:
        try:
            return hasher.verify(user.password_hash if user else _NOBODY, passphrase)
        except (VerificationError, InvalidHashError):
            return False


def by_username(username: str) -> User | None:
    """The active account of this name, upper or lower case alike."""
    found = select(User).where(User.username == username.strip().lower(), User.is_active)
    return db.session.scalar(found)


def seconds_to_wait(user: User | None) -> int:
    """How long this account must wait before its next try; other accounts never wait."""
    if user is None or user.wait_until is None:
        return 0
    wait = min(user.wait_until - utcnow(), LONGEST_WAIT)  # should the clock have jumped
    return max(0, int(wait.total_seconds() + 0.999))


def note_failure(user: User) -> None:
    """Count a wrong try; from the fourth on the account waits, ever longer, never for good."""
    user.failed_logins += 1
    if user.failed_logins > FREE_TRIES:
        wait = timedelta(seconds=2 ** min(user.failed_logins - FREE_TRIES, 10))
        user.wait_until = utcnow() + min(wait, LONGEST_WAIT)
    db.session.flush()


def note_success(user: User) -> None:
    """Forget the wrong tries before this right one."""
    user.failed_logins, user.wait_until = 0, None
    db.session.flush()


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


def end_all_sessions() -> None:
    """Whoever was logged in, in a database that was restored, logs in again."""
    open_ones = update(LoginSession).where(LoginSession.ended_at.is_(None))
    db.session.execute(open_ones.values(ended_at=utcnow()))
