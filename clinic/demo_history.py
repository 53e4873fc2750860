"""Writes the demo clinic's past: thousands of finished visits by bulk inserts.

They obey what the real functions would have kept: closed service days, dense numbers with their
counters, one order of arrival a day, snapshots on the visit.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random

from sqlalchemy import bindparam, select, update

from clinic import days, registration, routing
from clinic.demo_bulk import insert_only, insert_rows
from clinic.demo_laboratory import Laboratory
from clinic.demo_people import INSURED, SEED, Person
from clinic.demo_prescriptions import Prescribed
from clinic.demo_records import Records
from clinic.demo_stays import Stay, stays
from clinic.demo_visits import Calendar
from clinic.patients import Identity
from clinic.villages import is_in_area
from db import db
from formatting import age_on
from models import (
    Counter,
    EntryKind,
    EntryState,
    Patient,
    Poli,
    QueueEntry,
    ServiceDay,
    User,
    Visit,
)

OPENED, CLOSED = timedelta(hours=7, minutes=15), timedelta(hours=16)
PLACE_STEP = 1000  # as clinic.queue_changes deals out places
# Registered without having been seen: the counter opens a record some minutes before the visit.
BEFORE_VISIT = timedelta(minutes=3)


@dataclass
class History:
    """Everything of the past, gathered first, then inserted table by table."""

    people: Sequence[Person]
    patients: Sequence[Patient]
    users: dict[str, User]  # by room; the counter's under ''
    today: date
    random: Random = field(default_factory=lambda: Random(SEED + 2))  # noqa: S311

    def write(self) -> int:
        """Insert the two years before today; how many visits."""
        self.calendar = Calendar(self.people, self.today)
        plans = self.calendar.visits()
        dates = sorted({plan.on for plan in plans})
        self.tonight = days.midnight_utc(self.today)  # Indonesia's clocks are never put forward
        self.midnights = {on: self.tonight - (self.today - on) for on in dates}
        self.day_ids = dict(zip(dates, self._insert_days(), strict=True))
        rooms = {poli.code: poli for poli in db.session.scalars(select(Poli))}
        self.stays = stays(self.random, self.people, plans, rooms, self.midnights)
        self.visit_ids = insert_rows(Visit, self._visit_rows())
        entry_ids = self._insert_entries()
        Records(self.random, self.stays, self.users, self.patients).write(self.visit_ids, entry_ids)
        Laboratory(self.stays, self.users).write(self.visit_ids, entry_ids)
        Prescribed(self.stays, self.users).write(entry_ids)
        self._date_registrations()
        self._mark_for_exchange(self.day_ids[dates[-1]])
        return len(plans)

    def _mark_for_exchange(self, day_id: int) -> None:
        """Yesterday's closing looks for its visits in the outbox; older days are closed."""
        for visit in db.session.scalars(select(Visit).where(Visit.service_day_id == day_id)):
            registration.mark_for_exchange(visit)

    def _insert_days(self) -> list[int]:
        rows = [
            {"on": on, "opened_at": at + OPENED, "closed_at": at + CLOSED}
            for on, at in self.midnights.items()
        ]
        return insert_rows(ServiceDay, rows)

    # --- Visits ---

    def _visit_rows(self) -> list[dict]:
        self.rules = routing.load()
        villages = {person.identity.village for person in self.people}
        self.in_area = {village: is_in_area(village) for village in villages}
        counted: dict[str, int] = defaultdict(int)
        came: set[int] = set()
        rows = []
        for _, group in groupby(self.stays, key=lambda stay: stay.place):
            visit = list(group)
            row = self._visit_row(visit[0], visit[-1])
            name = f"number:{row['service_day_id']}:{row['series']}"
            counted[name] += 1
            row |= {"number": counted[name], "label": f"{row['series']}{counted[name]:03d}"}
            row["is_new_patient"] = self._is_first(visit[0], came)
            rows.append(row)
        for stay in self.stays:
            counted[f"arrival:{self.day_ids[stay.plan.on]}"] += 1
        insert_only(Counter, [{"name": name, "value": n} for name, n in counted.items()])
        return rows

    def _is_first(self, stay: Stay, came: set[int]) -> bool:
        """Whether the patient is new: registered within these two years, and never here before."""
        number = stay.plan.person
        is_first = number not in came and self.calendar.joined(number) >= self.calendar.days[0]
        came.add(number)
        return is_first

    def _visit_row(self, first: Stay, last: Stay) -> dict:
        plan, person, patient = first.plan, first.person, self.patients[first.plan.person]
        identity, born, code = person.identity, person.born, first.room.code
        complaint = self.random.choice(plan.case.complaints)
        case = routing.Case(
            complaint, identity.sex, born, first.months, plan.pregnant, code, plan.on
        )
        cluster = self.rules.cluster(case)
        return {
            "service_day_id": self.day_ids[plan.on],
            "patient_id": patient.id,
            "original_patient_id": patient.id,
            "series": first.room.prefix,
            "status": first.ending.status,
            "visit_type": "SEHAT" if plan.case.vital in ("sehat", "hamil") else "SAKIT",
            "complaint": complaint,
            "payer": identity.payer,
            "bpjs_number": identity.bpjs_number,
            "bpjs_home": self._bpjs_home(identity, plan.person),
            "village": identity.village,
            "is_in_area": self.in_area[identity.village],
            "pregnant": plan.pregnant,
            "priority": self.rules.rooms.priority(code, first.months, plan.pregnant),
            "age_years": age_on(born, plan.on).years if born else None,
            "age_months": first.months,
            "age_days": (plan.on - born).days if born else None,
            "cluster": cluster.code,
            "cluster_rule": cluster.why[:60],
            "computed_cluster": cluster.code,
            "occurred_at": first.queued_at,
            "recorded_at": first.queued_at,
            "registered_by_id": self.users[""].id,
            "ended_at": last.ended_at,
        }

    def _bpjs_home(self, identity: Identity, number: int) -> str:
        if identity.payer not in INSURED or number % 8 == 0:
            return ""
        return "sini" if self.in_area[identity.village] else "lain"

    # --- Queue entries, one kind after the other: each names the one before ---

    def _insert_entries(self) -> dict[tuple[int, EntryKind], int]:
        """The new ids by visit and kind."""
        ids: dict[tuple[int, EntryKind], int] = {}
        previous: dict[int, int] = {}
        for kind in (EntryKind.REGISTERED, EntryKind.ORDERED, EntryKind.RESULT_BACK):
            wave = [stay for stay in self.stays if stay.kind is kind]
            new = insert_rows(QueueEntry, [self._entry_row(stay, previous) for stay in wave])
            for stay, entry_id in zip(wave, new, strict=True):
                ids[stay.place, kind] = previous[stay.place] = entry_id
        return ids

    def _entry_row(self, stay: Stay, previous: dict[int, int]) -> dict:
        given = self.rules.rooms.priority(stay.room.code, stay.months, stay.plan.pregnant)
        is_emergency = stay.room.code == "UGD"
        is_back = stay.kind is EntryKind.RESULT_BACK
        has_left = stay.ending.state is EntryState.LEFT
        return {
            "visit_id": self.visit_ids[stay.place],
            "service_day_id": self.day_ids[stay.plan.on],
            "poli_id": stay.room.id,
            "kind": stay.kind,
            "previous_entry_id": previous.get(stay.place),
            "state": stay.ending.state,
            "rank": 0 if is_emergency else 1 if is_back else 2,
            "is_priority": bool(given) and not is_emergency,
            "seq": stay.seq,
            "place": stay.seq * PLACE_STEP,
            "calls": 1 if stay.is_seen else 3 if has_left else 0,
            "reason": stay.ending.reason,
            "queued_at": stay.queued_at,
            "called_at": stay.started_at - timedelta(seconds=40) if stay.is_seen else None,
            "started_at": stay.started_at if stay.is_seen else None,
            "ended_at": stay.ended_at,
            "queued_by_id": self.users[""].id,
        }

    # --- Patients ---

    def _date_registrations(self) -> None:
        """Patients were registered before their first visit, the oldest numbers years ago."""
        first: dict[int, datetime] = {}
        for stay in self.stays:
            first.setdefault(stay.plan.person, stay.queued_at - BEFORE_VISIT)
        table = Patient.__table__
        dating = (
            update(table)
            .where(table.c.id == bindparam("row"))
            .values(registered_at=bindparam("at"))
        )
        rows = [
            {"row": patient.id, "at": self._registered_at(number, first.get(number))}
            for number, patient in enumerate(self.patients)
        ]
        db.session.connection().execute(dating, rows)

    def _registered_at(self, number: int, first_visit: datetime | None) -> datetime:
        on = min(self.calendar.joined(number), self.today - timedelta(days=1))
        if first_visit and on >= self.calendar.days[0]:
            return first_visit
        minute = timedelta(minutes=450 + number % 300)
        return self.tonight - (self.today - on) + minute
