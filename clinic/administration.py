"""What the head keeps in order: accounts, their sessions, the settings. Every change is audited."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import func, select, update

from clinic import accounts, audit, days, log_in_tries, settings
from clinic.data_files import labels
from db import Base, Row, add_row, db, utcnow
from models import LoginSession, Practitioner, Role, User

# The settings that the operator may change too: nothing that changes how patients are treated.
TECHNICAL_SETTINGS = ("idle_minutes", "board_networks", "internet_target")
# What the rooms' lists are drawn by: their order, their colours, their times.
DRAWN_SETTINGS = {"priority_ratio", "wait_warn_minutes", "wait_late_minutes", "time_zone"}

# How the audit trail names a changed column.
COLUMN_WORDS = labels("audit_words.csv", "column")
PERSONAL_COLUMNS = {"nik", "ihs_number"}
VALUE_WORDS = {True: "ya", False: "tidak", None: "kosong", "": "kosong"}


class AdministrationError(Exception):
    """A change that can't be made: a sentence, and the form field that it belongs to (or '')."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def apply_changes(row: Base, values: dict[str, Any]) -> str:
    """Set the columns that differ; returns what changed in words, personal values left out."""
    changes = []
    for column, new in values.items():
        old = getattr(row, column)
        if old == new:
            continue
        setattr(row, column, new)
        word = COLUMN_WORDS[column]
        is_personal = column in PERSONAL_COLUMNS
        changes.append(word if is_personal else f"{word}: {_word(old)} > {_word(new)}")
    db.session.flush()
    return "; ".join(changes)


def create_row(actor: audit.Actor, action: str, row: Row, details: str = "") -> Row:
    """Store a new row of the head's tables."""
    audit.record(actor, action, add_row(row), details=details)
    return row


def change_row(
    actor: audit.Actor, action: str, row: Base, values: dict[str, Any], name: str = ""
) -> bool:
    """Change a row of the head's tables; whether anything did. `name` tells the trail which."""
    details = apply_changes(row, values)
    if details:
        audit.record(actor, action, row, details=f"{name}: {details}" if name else details)
    return bool(details)


def _word(value: Any) -> str:
    plain = value.value if isinstance(value, Enum) else value
    # 1 == True in a dict, so numbers are written as they are.
    is_number = isinstance(plain, int) and not isinstance(plain, bool)
    return str(plain) if is_number else str(VALUE_WORDS.get(plain, plain))


# --- Accounts ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountFields:
    """What the account form holds; `practitioner` None: this person treats nobody."""

    username: str
    display_name: str
    role: Role
    rooms: tuple[str, ...] = ()
    is_active: bool = True
    practitioner: dict[str, Any] | None = None  # columns of Practitioner


def create_account(actor: audit.Actor, fields: AccountFields, password_hash: str) -> User:
    """A new account. Raises AdministrationError: name taken, poli staff without a room."""
    _refuse_unusable(fields, None)
    practitioner, _ = _keep_practitioner(None, fields.practitioner)
    return accounts.create_user(
        actor,
        username=fields.username,
        display_name=fields.display_name,
        password_hash=password_hash,
        role=fields.role,
        rooms=list(fields.rooms) if fields.role == Role.POLI else [],
        practitioner_id=practitioner.id if practitioner else None,
    )


def change_account(
    actor: audit.Actor,
    user: User,
    fields: AccountFields,
    *,
    password_hash: str = "",
    kept_session_id: int | None = None,
) -> None:
    """Change an account; a new passphrase or a closed account ends its sessions, except the kept.

    Raises AdministrationError: name taken, poli staff without a room, the last active head, a
    head who gives up the own account.
    """
    _refuse_unusable(fields, user)
    _refuse_lost_head(actor, user, fields)
    columns = ("username", "display_name", "role", "is_active")
    changes = [apply_changes(user, {name: getattr(fields, name) for name in columns})]
    practitioner, change = _keep_practitioner(user.practitioner, fields.practitioner)
    user.practitioner_id = practitioner.id if practitioner else None
    changes += [change, _change_rooms(user, fields)]
    if password_hash:
        _set_passphrase(user, password_hash)
        changes.append("kata sandi")
    if password_hash or not fields.is_active:
        _end_open(user, kept_session_id)
    _record_if_changed(actor, user, changes)


def replace_passphrase(actor: audit.Actor, user: User, password_hash: str) -> None:
    """A new passphrase and nothing else, from the server's terminal; ends all its sessions."""
    _set_passphrase(user, password_hash)
    _end_open(user, None)
    audit.record(actor, "change_user", user, details="kata sandi, dari terminal server")


def change_own_passphrase(
    actor: audit.Actor, user: User, password_hash: str, kept_session_id: int
) -> None:
    """A new passphrase by whoever knew the old one; ends the account's other sessions."""
    _set_passphrase(user, password_hash)
    count = _end_open(user, kept_session_id)
    audit.record(actor, "change_passphrase", user, details=f"{count} sesi lain diakhiri")


def _set_passphrase(user: User, password_hash: str) -> None:
    user.password_hash = password_hash
    log_in_tries.forget(user)


def _record_if_changed(actor: audit.Actor, user: User, changes: list[str]) -> None:
    details = "; ".join(change for change in changes if change)
    if details:
        audit.record(actor, "change_user", user, details=details)


def _refuse_unusable(fields: AccountFields, user: User | None) -> None:
    owner = db.session.scalar(select(User.id).where(User.username == fields.username))
    if owner is not None and (user is None or owner != user.id):
        raise AdministrationError("Nama pengguna ini sudah dipakai. Pilih yang lain.", "username")
    if fields.role == Role.POLI and not fields.rooms:
        raise AdministrationError("Pilih paling sedikit satu ruang untuk petugas poli.", "rooms")


def _refuse_lost_head(actor: audit.Actor, user: User, fields: AccountFields) -> None:
    stays_head = fields.is_active and fields.role == Role.HEAD
    if stays_head or not (user.is_active and user.role == Role.HEAD):
        return
    # Locked: two heads who demote each other at once must not both succeed.
    heads = select(User.id).where(User.role == Role.HEAD, User.is_active).order_by(User.id)
    where = "role" if fields.is_active else "is_active"
    if list(db.session.scalars(heads.with_for_update())) == [user.id]:
        raise AdministrationError(
            "Ini satu-satunya akun kepala yang aktif. Buat akun kepala lain lebih dulu, "
            "supaya puskesmas tidak kehilangan akses.",
            where,
        )
    if actor.user_id == user.id:  # they could not undo it, and stand before a closed door
        raise AdministrationError(
            "Ini akun Anda sendiri. Peran kepala diganti, atau akunnya ditutup, oleh kepala lain.",
            where,
        )


def _change_rooms(user: User, fields: AccountFields) -> str:
    before = {room.code for room in user.rooms}
    wanted = set(fields.rooms) if fields.role == Role.POLI else set()
    accounts.set_rooms(user, sorted(wanted))
    if before == wanted:
        return ""
    return f"ruang: {' '.join(sorted(before)) or '-'} > {' '.join(sorted(wanted)) or '-'}"


def _keep_practitioner(
    row: Practitioner | None, values: dict[str, Any] | None
) -> tuple[Practitioner | None, str]:
    """The account's practitioner row, and what changed; it ends, it is never removed."""
    if row is None:
        if values is None:
            return None, ""
        return add_row(Practitioner(**values)), "tenaga kesehatan: baru"
    return row, apply_changes(row, {"is_active": False} if values is None else values)


# --- Sessions ---------------------------------------------------------------------------------


def end_sessions(actor: audit.Actor, user: User, kept_session_id: int | None = None) -> int:
    """End the account's open sessions at once, except the kept one; returns how many."""
    count = _end_open(user, kept_session_id)
    if count:
        audit.record(actor, "end_sessions", user, details=f"{count} sesi")
    return count


def count_sessions(user_id: int, but_session_id: int = 0) -> int:
    """How many sessions of this account are open, besides the one."""
    is_open = LoginSession.ended_at.is_(None), LoginSession.expires_at > utcnow()
    of_user = LoginSession.user_id == user_id, LoginSession.id != but_session_id
    found = select(func.count()).select_from(LoginSession).where(*is_open, *of_user)
    return db.session.scalar(found)


def end_session(actor: audit.Actor, session: LoginSession) -> None:
    """End one session. Raises AdministrationError when it is over already."""
    if session.ended_at is not None:
        raise AdministrationError("Sesi ini sudah berakhir.")
    session.ended_at = utcnow()
    audit.record(actor, "end_session", session.user, details=session.device)


def _end_open(user: User, kept_session_id: int | None) -> int:
    ended = (
        update(LoginSession)
        .where(LoginSession.user_id == user.id, LoginSession.ended_at.is_(None))
        .where(LoginSession.id != (kept_session_id or 0))
        .values(ended_at=utcnow())
    )
    return db.session.execute(ended).rowcount


# --- Settings ---------------------------------------------------------------------------------


def change_settings(actor: audit.Actor, values: dict[str, Any]) -> list[str]:
    """Store parsed settings; returns the labels of those that changed.

    Raises AdministrationError when two settings contradict each other.
    """
    before = settings.values()
    wanted = before | values
    if wanted["wait_late_minutes"] <= wanted["wait_warn_minutes"]:
        raise AdministrationError(
            "Tanda merah harus menunggu lebih lama daripada tanda kuning.", "wait_late_minutes"
        )
    changed = [key for key in values if values[key] != before[key]]
    for key in changed:
        settings.set_value(key, values[key])
        details = f"{before[key]} > {values[key]}"
        about = {"object_type": "setting", "object_ref": key}
        audit.record(actor, "change_setting", details=details, **about)
    if "idle_minutes" in changed:
        _shorten_open(values["idle_minutes"])
    if DRAWN_SETTINGS.intersection(changed):
        days.draw_anew(days.latest_day())
    return [settings.DEFINITIONS[key].label for key in changed]


def _shorten_open(minutes: int) -> None:
    """Whoever is logged in has no more time left than this, but never less by it."""
    latest = utcnow() + timedelta(minutes=minutes)
    longer = update(LoginSession).where(LoginSession.ended_at.is_(None))
    longer = longer.where(LoginSession.idle_until > latest)
    db.session.execute(longer.values(idle_until=latest))
