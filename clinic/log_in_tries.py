"""Waiting after wrong passphrases: guessing is slow, and no stranger keeps a colleague out.

An account waits at the device where it was tried; another device may go on. All devices together
have a bound of their own, which one of them alone does not reach.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from db import db, utcnow
from models import User


@dataclass(frozen=True)
class Bound:
    """How many wrong tries need not wait; each further one waits twice as long as the last."""

    free: int
    longest: timedelta
    forgets_one_in: timedelta  # counted from when the wait was over


AT_A_DEVICE = Bound(3, longest=timedelta(minutes=5), forgets_one_in=timedelta(minutes=10))
IN_ALL = Bound(30, longest=timedelta(minutes=1), forgets_one_in=timedelta(minutes=1))


@dataclass(frozen=True)
class Device:
    """Where somebody tries: an address, or a screen where the account's own session is locked."""

    address: str
    session_id: int | None = None


@dataclass
class Tries:
    """Named as the account's columns, which count what all devices tried."""

    failed_logins: int = 0
    wait_until: datetime | None = None


@dataclass
class Nobody(Tries):
    """An account that there is not: it waits as one, so that nobody finds out which there are."""

    id: str = ""
    password_hash: str = ""


Kind = TypeVar("Kind", bound=Tries)
# In memory: a wait is over in minutes, and no try from a stranger's device may need room on disk.
# A second web process counts for itself.
_memory: OrderedDict[str, Tries] = OrderedDict()
_lock = threading.Lock()
MOST_KEPT = 10_000


def nobody(username: str) -> Nobody:
    """Who is tried to log in by a name that is no account's."""
    key = _digest(f"name\n{username.strip().lower()}")
    return _remembered(key, Nobody(id=key))


def seconds_to_wait(user: User | Nobody, device: Device) -> int:
    """How long this account must wait at this device before its next try."""
    return max(_seconds(tries, bound) for tries, bound in _counted(user, device))


def note_failure(user: User | Nobody, device: Device) -> None:
    """Count a wrong try; from the fourth on the device waits, ever longer, never for good."""
    for tries, bound in _counted(user, device):
        _count(tries, bound)
    db.session.flush()


def may_note_unknown(device: Device) -> bool:
    """Whether one more unknown name comes into the trail: a thousand must not fill the disk."""
    tries = _remembered(_digest(f"unknown\n{device.address}"), Tries())
    if _seconds(tries, IN_ALL):
        return False
    _count(tries, IN_ALL)
    return True


def note_success(user: User, device: Device) -> None:
    """Forget the wrong tries before this right one; other devices go on waiting for theirs."""
    with _lock:
        _memory.pop(_key(user, device), None)
    forget(user)


def forget(user: User) -> None:
    """The account need not wait any longer for what all devices tried."""
    user.failed_logins, user.wait_until = 0, None
    db.session.flush()


def _counted(user: User | Nobody, device: Device) -> list[tuple[Tries | User, Bound]]:
    here = _remembered(_key(user, device), Tries()), AT_A_DEVICE
    # A screen that the account itself had opened is not shut by what strangers try elsewhere.
    return [here] if device.session_id is not None else [here, (user, IN_ALL)]


def _key(user: User | Nobody, device: Device) -> str:
    """With a new passphrase, which a server's terminal may have set, counting begins anew."""
    where = f"session {device.session_id}" if device.session_id is not None else device.address
    return _digest(f"account\n{user.id}\n{user.password_hash}\n{where}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _remembered(key: str, new: Kind) -> Kind:
    with _lock:
        tries = _memory.setdefault(key, new)
        _memory.move_to_end(key)
        if len(_memory) > MOST_KEPT:
            _memory.popitem(last=False)
        return tries


def _seconds(tries: Tries | User, bound: Bound) -> int:
    if tries.wait_until is None:
        return 0
    wait = min(tries.wait_until - utcnow(), bound.longest)  # should the clock have jumped
    return max(0, int(wait.total_seconds() + 0.999))


def _count(tries: Tries | User, bound: Bound) -> None:
    now = utcnow()
    rest = max(timedelta(), now - tries.wait_until) if tries.wait_until else timedelta()
    tries.failed_logins = max(0, tries.failed_logins - rest // bound.forgets_one_in) + 1
    above = tries.failed_logins - bound.free
    wait = timedelta(seconds=2 ** min(above, 10)) if above > 0 else timedelta()
    tries.wait_until = now + min(wait, bound.longest)
