"""Who of the demo patients can come today: found in the database, so that new days work too."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from random import Random

from sqlalchemy import select

from clinic.demo_cases import Case, draw
from clinic.demo_people import people
from clinic.demo_visits import pregnancy_on
from db import db
from formatting import age_on
from models import Patient, ServiceDay, Visit

# The tags of demo_cases.csv that a room takes today, by chance.
ROOM_TAGS = {
    "UMUM": {"": 12, "ht": 2, "dm": 1, "asma": 1},
    "LANSIA": {"": 4, "ht": 4, "dm": 2},
    "KB": {"kb": 1},
    "IMUN": {"imun1": 1, "imun2": 3, "imun9": 2, "imun18": 2},
    "TB": {"": 1, "tb": 3},
}


@dataclass(frozen=True)
class Guest:
    """A patient who comes today, with what."""

    patient: Patient
    case: Case
    months: int
    pregnant: str


class Guests:
    """Draws patients who fit a room; nobody twice a day."""

    def __init__(self, day: ServiceDay, random: Random) -> None:
        self.on, self.random = day.on, random
        here = select(Visit.patient_id).where(Visit.service_day_id == day.id)
        found = db.session.scalars(
            select(Patient)
            .where(
                Patient.is_active,
                Patient.merged_into_id.is_(None),
                Patient.birth_date <= day.on,
                Patient.id.not_in(here),
            )
            .order_by(Patient.id)
        )
        self.free = list(found)
        random.shuffle(self.free)
        self.with_child = with_child(day.on)

    def pick(self, room: str) -> Guest | None:
        """Somebody for this room; None when nobody fits."""
        tags = ROOM_TAGS.get(room, {"": 1})
        tag = self.random.choices(list(tags), list(tags.values()))[0]
        for patient in self.free:
            guest = self._guest(patient, room, tag)
            if guest is not None:
                return self._take(guest)
        return None

    def pick_namesakes(self, room: str) -> list[Guest]:
        """Two patients of one name for the same room, of a name that many have."""
        by_name: dict[str, list[Guest]] = defaultdict(list)
        for patient in self.free:
            guest = self._guest(patient, room, "")
            if guest is not None:
                by_name[patient.name_key].append(guest)
        _, found = max(by_name.items(), key=lambda item: (len(item[1]), item[0]))
        return [self._take(guest) for guest in found[:2]] if len(found) > 1 else []

    def _guest(self, patient: Patient, room: str, tag: str) -> Guest | None:
        months = age_on(patient.birth_date, self.on).total_months
        pregnant = self.with_child.get(patient.nik or "", "")
        if pregnant or room == "KIA":  # expecting mothers are the midwife's
            tag = {"ya": "anc", "nifas": "nifas"}.get(pregnant, "none")
        case = draw(self.random, tag, months, patient.sex, room)
        return Guest(patient, case, months, pregnant or _said(case)) if case else None

    def _take(self, guest: Guest) -> Guest:
        self.free.remove(guest.patient)
        return guest


def _said(case: Case) -> str:
    return "tidak" if case.tag == "kb" else ""


def with_child(on: date) -> dict[str, str]:
    """ya or nifas by the NIK of the women who are expecting or have just given birth."""
    told = {person.identity.nik: pregnancy_on(person, on) for person in people(on)}
    return {nik: pregnant for nik, pregnant in told.items() if nik and pregnant}
