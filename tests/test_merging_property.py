"""Merge and undo in any order: nothing is lost or invented, and all that was undone never was.

Random days of the records desk beside a model of them that knows no merges: whose each visit is,
and what each record says of its person. While records are merged, all of one tree stands at its
root; once every merge is undone, everything is as the model says.
"""

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from clinic import (
    allergies,
    corrections,
    merging,
    name_index,
    pairs,
    patients,
    search,
    wrong_patient,
)
from clinic.audit import SYSTEM
from clinic.merge_fields import MergeError
from clinic.patients import Identity
from db import db, transaction
from models import (
    AliasKind,
    Allergy,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientAlias,
    PatientMerge,
    PatientToken,
    ServiceDay,
    SuspectedPair,
    Visit,
    VisitStatus,
)
from tests import factories

BORN = date(1985, 5, 14)
NIKS = [f"647201540585{serial:04}" for serial in range(1, 4)]
FIELDS = ("name", "phone", "nik", "payer", "kk_number", "mother_name")

PLACES = st.integers(0, 5)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["Siti Aminah", "Sitti Aminnah", "Nur Hayati", "Rahma"]),
            "nik": st.sampled_from([None, *NIKS]),  # the second who has it is disputed
            "phone": st.sampled_from(["+62811111111", "+62822222222", "+62833333333"]),
            "payer": st.sampled_from(["UMUM", "JKN_PBI", "JAMKESDA"]),
            "kk_number": st.sampled_from([None, "6472011203140007"]),
        }
    ),
    min_size=3,
    max_size=3,
)
PICKED = st.sets(st.sampled_from(FIELDS), min_size=1).map(
    lambda names: dict.fromkeys(names, "loser")
)
MERGE = st.tuples(st.just("merge"), PLACES, PLACES, PICKED)
STEPS = st.lists(
    st.one_of(
        *[MERGE] * 4,
        *[st.tuples(st.just("undo"), PLACES)] * 2,
        st.tuples(st.just("visit"), PLACES),
        st.tuples(st.just("allergy"), PLACES),
        *[st.tuples(st.just("correct"), PLACES, st.sampled_from(["name", "nik", "phone"]))] * 2,
        st.tuples(st.just("move"), PLACES, PLACES),
        st.tuples(st.just("create"), st.sampled_from(["Siti Aminah", "Rahma"])),
    ),
    min_size=10,
    max_size=24,
)


class RolledBack(Exception):
    """Ends an example: the next one begins with the same empty clinic."""


class Desk:
    """The clinic, and beside it whose everything would be had nothing been merged."""

    def __init__(self, people):
        self.actor = factories.actor("rekammedis")
        self.doctor = factories.actor("umum")
        self.day = ServiceDay(on=date(2026, 1, 5), closed_at=factories.user().created_at)
        db.session.add(self.day)
        self.records: list[Patient] = []
        self.said: dict[int, dict] = {}  # what each record says of its person
        self.former: dict[int, Counter] = {}  # and what it said in former days
        self.owners: dict[tuple, int] = {}  # of ("visit", id) and ("allergy", id): a record
        self.merges: list[PatientMerge] = []
        self.serial = 0
        for person in people:
            self.add(**person)
        for place, one in enumerate(self.records):
            for other in self.records[:place]:
                pairs.note(SYSTEM, one, other, PairState.OPEN, source=PairSource.SCAN)

    def next(self) -> int:
        self.serial += 1
        return self.serial

    def record(self, place: int) -> Patient:
        return self.records[place % len(self.records)]

    def current(self, place: int) -> Patient:
        return patients.current(self.record(place))

    # The steps

    def add(self, **fields) -> None:
        taken = {said["nik"] for said in self.said.values()} - {None}
        disputed = fields.get("nik") in taken
        reason = None if fields.get("nik") else NoNikReason.NOT_BROUGHT
        person = Identity(sex="P", birth_date=BORN, no_nik_reason=reason, **fields)
        new = patients.create(SYSTEM, person, nik_disputed=disputed)
        self.records.append(new)
        self.said[new.id], self.former[new.id] = stated(new), Counter()

    def create(self, name: str) -> None:
        if len(self.records) < 6:
            self.add(name=name)

    def visit(self, place: int) -> None:
        person, number = self.current(place), self.next()
        visit = Visit(
            service_day_id=self.day.id,
            patient_id=person.id,
            original_patient_id=person.id,
            series="X",
            number=number,
            label=f"X{number:03}",
            status=VisitStatus.FINISHED,
            complaint="batuk",
            payer="UMUM",
            cluster="3",
            cluster_rule="",
            computed_cluster="3",
        )
        db.session.add(visit)
        db.session.flush()
        self.owners["visit", visit.id] = person.id

    def allergy(self, place: int) -> None:
        person = self.current(place)
        added = allergies.add_allergy(self.doctor, person, f"Obat {self.next()}")
        self.owners["allergy", added.id] = person.id

    def correct(self, place: int, field: str) -> None:
        """Each time to something that nobody had before."""
        person, serial = self.current(place), self.next()
        value = {"name": f"Rahma {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[serial % 26]}ina {serial}"}
        value |= {"nik": f"64720154058{serial:05}", "phone": f"+6289{serial:07}"}
        changes = {field: value[field]} | ({"no_nik_reason": None} if field == "nik" else {})
        identity = replace(patients.identity_of(person), **changes)
        patients.update(SYSTEM, person, identity, "pembetulan")
        said = self.said[person.id]
        if field != "phone" and said[field]:
            self.former[person.id][field, said[field]] = 1
        said |= {field: value[field]} | ({"is_nik_disputed": False} if field == "nik" else {})

    def move(self, place: int, to: int) -> None:
        visits = [id_ for kind, id_ in self.owners if kind == "visit"]
        if not visits:
            return
        visit = db.session.get_one(Visit, visits[place % len(visits)])
        try:
            wrong_patient.reassign(self.actor, visit, self.record(to), "salah orang")
        except corrections.CorrectionError:
            return
        self.owners["visit", visit.id] = self.current(to).id

    def merge(self, place: int, to: int, picked: dict) -> None:
        survivor, loser = self.current(to), self.current(place)
        try:
            done = merging.merge(self.actor, survivor, loser, picked, "sama")
        except MergeError:
            assert merging.refusal(survivor, loser)
        else:
            self.merges.append(done)

    def undo(self, place: int) -> bool:
        """Tells whether it was allowed."""
        in_force = [done for done in self.merges if done.undone_at is None]
        if not in_force:
            return False
        done = in_force[place % len(in_force)]
        try:
            merging.undo(self.actor, done, "bukan")
        except MergeError:
            assert merging.undo_refusal(done)
            return False
        return True

    def undo_all(self, place: int) -> None:
        while any(done.undone_at is None for done in self.merges):
            assert any(self.undo(place + more) for more in range(len(self.merges)))

    # What must hold

    def check_whole(self) -> None:
        """Everything stands at exactly one active record, where its owner leads to."""
        now = {one.id: patients.current(one).id for one in self.records}
        for kind, table in (("visit", Visit), ("allergy", Allergy)):
            stands = db.session.execute(select(table.id, table.patient_id)).tuples().all()
            wanted = {id_: now[owner] for (k, id_), owner in self.owners.items() if k == kind}
            assert dict(stands) == wanted
        for pair in db.session.scalars(select(SuspectedPair)):
            is_one = now[pair.first_id] == now[pair.second_id]
            assert (pair.state == PairState.MERGED) == is_one
        for one in self.records:
            found = search.find(one.mrn)
            assert [each.patient.id for each in found] == [now[one.id]]

    def check_as_if_never_merged(self) -> None:
        for one in self.records:
            assert one.merged_into_id is None
            assert stated(one) == self.said[one.id]
            assert aliases_of(one) == self.former[one.id]
            former = [value for field, value in self.former[one.id] if field == "name"]
            words = {word for name in (one.name, *former) for word in name_index.index_words(name)}
            assert words_of(one) == words


def stated(patient: Patient) -> dict:
    identity = patients.identity_of(patient)
    return {name: getattr(identity, name) for name in FIELDS} | {
        "is_nik_disputed": patient.is_nik_disputed
    }


def aliases_of(patient: Patient) -> Counter:
    rows = select(PatientAlias.kind, PatientAlias.value).where(
        PatientAlias.patient_id == patient.id, PatientAlias.ended_at.is_(None)
    )
    found = db.session.execute(rows).all()
    assert all(kind != AliasKind.MRN for kind, _value in found)
    return Counter((kind.value, value) for kind, value in found)


def words_of(patient: Patient) -> set[str]:
    rows = select(PatientToken.word).where(PatientToken.patient_id == patient.id)
    return set(db.session.scalars(rows))


def live(people: list[dict], steps: list[tuple], last: int) -> None:
    desk = Desk(people)
    for name, *arguments in steps:
        getattr(desk, name)(*arguments)
        db.session.flush()
    desk.check_whole()
    desk.undo_all(last)
    desk.check_whole()
    desk.check_as_if_never_merged()
    raise RolledBack


def live_and_forget(people: list[dict], steps: list[tuple], last: int) -> None:
    with contextlib.suppress(RolledBack), transaction():
        live(people, steps, last)


@pytest.mark.engines("sqlite")
@settings(max_examples=25)
@given(PEOPLE, STEPS, PLACES)
def test_merge_and_undo_in_any_order(app, people, steps, last):
    live_and_forget(people, steps, last)


@pytest.mark.engines("postgresql")
@settings(max_examples=10)  # the rules are the same; what its constraints refuse shows early
@given(PEOPLE, STEPS, PLACES)
def test_merge_and_undo_on_postgresql_too(app, people, steps, last):
    live_and_forget(people, steps, last)
