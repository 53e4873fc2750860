"""The demo clinic's living today: patients in all states, in the last ninety minutes before now.

A script says, room by room, how far its patients have come, in the order of their arrival.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random

from sqlalchemy import func, select

from clinic import days
from clinic.demo_desks import Desks
from clinic.demo_patients import Guest, Guests
from clinic.demo_people import SEED
from db import db
from models import QueueEntry, ServiceDay, Visit

SPAN = timedelta(minutes=92)
ENOUGH_VISITS = 10
# selesai: seen; a room's code: sent there; layani: with the doctor now; panggil: called just now;
# lewati: called in vain; pindah: moved on to GIGI. These came first; those who wait came later.
SCRIPT = {
    "UMUM": "selesai LAB selesai lewati LAB selesai FARMASI pindah GIZI layani panggil"
    " tunggu tunggu kembar kembar tunggu tunggu tunggu",
    "GIGI": "selesai selesai layani tunggu tunggu",
    "KIA": "selesai LAB layani tunggu tunggu",
    "KB": "selesai panggil tunggu",
    "MTBS": "selesai lewati selesai layani tunggu tunggu",
    "LANSIA": "selesai selesai panggil tunggu tunggu tunggu",
    "IMUN": "selesai layani tunggu tunggu",
    "TB": "selesai layani tunggu",
    "UGD": "selesai layani tunggu",
}
WAITING = {"tunggu", "kembar"}  # kembar: two of one name
# What becomes of those who were sent on, in the order of their coming.
SENT_ON = {"LAB": ("selesai", "layani", "tunggu")}
EMERGENCY = "UGD"
WRONG_ROOM = "Salah ruang, keluhannya gigi"


def fill(day: ServiceDay) -> int:
    """Play the script on a day that has hardly begun; how many visits were added."""
    has = db.session.scalar(select(func.count(Visit.id)).where(Visit.service_day_id == day.id))
    if has >= ENOUGH_VISITS:
        return 0
    today = Today(day)
    today.play()
    return len(today.desks.guests)


class Today:
    """One day's script, played in the order of the clock: 0 the first patient, 1 now."""

    def __init__(self, day: ServiceDay) -> None:
        self.day = day
        self.random = Random(f"{SEED} {day.on}")  # noqa: S311
        self.desks = Desks(day.on, self.random)
        self.guests = Guests(day, self.random)
        # Just after midnight the day is young, and all of it must lie within the day.
        young = self.desks.began - days.midnight_utc(day.on)
        self.span = max(timedelta(0), min(SPAN, young))
        self.steps: list[tuple[float, int, Callable[[float], None]]] = []
        self.order = count()
        self.sent = {room: iter(ends) for room, ends in SENT_ON.items()}

    def play(self) -> None:
        for room, words in SCRIPT.items():
            if self.desks.is_open(room):
                self._schedule(room, words.split())
        self._at(0.8, lambda at: self.desks.leave_draft(self._instant(at)))
        while self.steps:
            at, _, step = heapq.heappop(self.steps)
            step(at)
        self.day.opened_at = min(self.day.opened_at, self._instant(0))
        db.session.flush()
        db.session.expire_all()  # the times were put back beneath the session

    def _instant(self, at: float) -> datetime:
        return self.desks.began - self.span * (1 - at)

    def _at(self, at: float, step: Callable[[float], None]) -> None:
        heapq.heappush(self.steps, (min(at, 0.999), next(self.order), step))

    def _schedule(self, room: str, words: list[str]) -> None:
        namesakes = self.guests.pick_namesakes(room) if "kembar" in words else []
        busy = [word for word in words if word not in WAITING]
        for number, word in enumerate(busy):
            came = 0.01 + (0.3 * number + self.random.uniform(0, 0.2)) / len(busy)
            called, length = 0.08 + 0.84 * number / len(busy), 0.84 / len(busy)
            guest = self.guests.pick("GIGI" if word == "pindah" else room)
            if guest is not None:
                self._at(came, self._comes(guest, room, word, called, length))
        idle = [word for word in words if word in WAITING]
        for number, word in enumerate(idle):
            first = 0.93 if room == EMERGENCY else 0.36  # nobody waits there for long
            came = first + (0.97 - first) * (number + self.random.uniform(0, 0.6)) / len(idle)
            is_namesake = word == "kembar" and namesakes
            guest = namesakes.pop() if is_namesake else self.guests.pick(room)
            if guest is not None:
                self._at(came, self._comes(guest, room, word, 0, 0))

    def _comes(
        self, guest: Guest, room: str, word: str, called: float, length: float
    ) -> Callable[[float], None]:
        def step(at: float) -> None:
            entry = self.desks.register(guest, room, self._instant(at))
            if word not in WAITING:
                # Where few are served the first may come later than the first call was planned.
                self._is_served(entry, word, max(called, at + 0.01), length)
            elif self.random.random() < 0.4:
                self._at(at + (1 - at) / 3, lambda at: self.desks.measure(entry, self._instant(at)))

        return step

    def _press(self, at: float, entry: QueueEntry, action: str, *more: str) -> None:
        self._at(at, lambda at: self.desks.step(entry, action, self._instant(at), *more))

    def _is_served(self, entry: QueueEntry, word: str, called: float, length: float) -> None:
        """What happens from the call on."""
        if word == "panggil":
            called = max(called, 0.975)
        elif word == "layani":
            called = max(called, 0.86)
        self._press(called, entry, "panggil")
        if word == "lewati":
            self._press(called + 0.3 * length, entry, "lewati")
        elif word == "pindah":
            self._press(called + 0.2 * length, entry, "pindah", WRONG_ROOM, "GIGI")
        elif word != "panggil":
            self._press(called + 0.1 * length, entry, "mulai")
            finish = self._begins if word == "layani" else self._finishes
            self._at(called + 0.9 * length, finish(entry, "" if word == "selesai" else word))

    def _begins(self, entry: QueueEntry, _word: str) -> Callable[[float], None]:
        return lambda at: self.desks.begin_record(entry, self._instant(at))

    def _finishes(self, entry: QueueEntry, send_to: str) -> Callable[[float], None]:
        def step(at: float) -> None:
            there = self.desks.finish(entry, self._instant(at), send_to)
            word = next(self.sent.get(send_to, iter(())), "tunggu")
            if there is not None and send_to and word not in WAITING:
                self._is_served(there, word, at + 0.03, 0.05)

        return step
