"""Writes what was found and done in the demo clinic's past visits: one examination a stay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from random import Random

from sqlalchemy import select

from clinic import demo_actions
from clinic.case_types import CATEGORY, is_same_case
from clinic.demo_bulk import insert_only, insert_rows
from clinic.demo_cases import all_codes, build_of, vital_signs
from clinic.demo_forms import FormHistory
from clinic.demo_stays import LAB, Stay
from db import db
from models import (
    Allergy,
    CaseType,
    Diagnosis,
    Disposition,
    EntryKind,
    Examination,
    Icd10Term,
    Patient,
    Procedure,
    User,
    VitalSigns,
)

HOSPITAL = "RSUD Tirta Sehat"
ALLERGIC_SHARE = 0.045
ALLERGIES = (
    ("Amoksisilin", "Ruam gatal seluruh badan"),
    ("Penisilin", "Bengkak kelopak mata"),
    ("Kotrimoksazol", "Gatal dan kulit melepuh"),
    ("Asam mefenamat", "Bengkak bibir"),
    ("Antalgin", "Sesak"),
    ("Ibuprofen", "Ruam"),
    ("Udang", "Biduran"),
    ("Telur", "Gatal"),
)


@dataclass
class Records:
    """The clinical side of all stays in which the patient was seen."""

    random: Random
    stays: Sequence[Stay]
    users: Mapping[str, User]  # by room
    patients: Sequence[Patient]

    def write(
        self, visit_ids: Sequence[int], entry_ids: Mapping[tuple[int, EntryKind], int]
    ) -> None:
        """Insert examinations, diagnoses, vital signs and allergies."""
        seen = [stay for stay in self.stays if stay.is_seen]
        keys = [(visit_ids[stay.place], entry_ids[stay.place, stay.kind]) for stay in seen]
        codes = [self.random.choice(stay.plan.case.codes) for stay in seen]
        examinations = insert_rows(
            Examination,
            [
                self._examination(stay, key, given[0])
                for stay, key, given in zip(seen, keys, codes, strict=True)
            ],
        )
        FormHistory(self.users, seen, [key[0] for key in keys], examinations).write()
        insert_only(Diagnosis, list(self._diagnoses(seen, codes, examinations)))
        insert_only(Procedure, list(demo_actions.rows(seen, codes, examinations, self.users)))
        measured = [
            self._vital_signs(stay, key)
            for stay, key in zip(seen, keys, strict=True)
            if stay.kind is EntryKind.REGISTERED
        ]
        insert_only(VitalSigns, measured)
        insert_only(Allergy, list(self._allergies(seen)))

    @cached_property
    def terms(self) -> dict[str, tuple[str, str]]:
        """Title and edition of each code in use."""
        rows = db.session.scalars(select(Icd10Term).where(Icd10Term.code.in_(all_codes())))
        return {term.code: (term.title_id or term.title, term.edition) for term in rows}

    def title(self, code: str) -> tuple[str, str]:
        return self.terms.get(code, (code, ""))

    def _examination(self, stay: Stay, key: tuple[int, int], code: str) -> dict:
        user, case = self.users[stay.room.code], stay.plan.case
        texts = {
            "subjective": case.subjective,
            "objective": case.objective,
            "assessment": self.title(code)[0],
            "plan": case.plan,
            "therapy": case.therapy_for(stay.months),
            "disposition": self._disposition(stay),
            "refer_to": "",
        }
        if stay.room.code == LAB:
            texts |= dict.fromkeys(("subjective", "assessment", "plan", "therapy"), "")
            texts |= {"objective": case.lab, "disposition": Disposition.HOME}
        elif not stay.is_last:
            texts |= {"plan": "Periksa laboratorium, kembali dengan hasil.", "therapy": ""}
            texts |= {"disposition": Disposition.INTERNAL, "refer_to": LAB}
        elif stay.kind is EntryKind.RESULT_BACK:
            texts |= {"subjective": "Kembali dengan hasil laboratorium.", "objective": case.lab}
        if texts["disposition"] is Disposition.EXTERNAL:
            texts["refer_to"] = HOSPITAL
        return texts | {
            "leads_to": texts.pop("disposition"),
            "visit_id": key[0],
            "entry_id": key[1],
            "practitioner_id": user.practitioner_id,
            "recorded_by_id": user.id,
            "occurred_at": stay.started_at,
            "recorded_at": stay.ended_at,
            "finished_at": stay.ended_at,
        }

    def _disposition(self, stay: Stay) -> Disposition:
        if "rujuk rumah sakit" in stay.plan.case.plan.lower() or self.random.random() < 0.015:
            return Disposition.EXTERNAL
        is_control = "ontrol" in stay.plan.case.plan and self.random.random() < 0.8
        return Disposition.CONTROL if is_control else Disposition.HOME

    def _diagnoses(
        self, seen: Sequence[Stay], codes: Sequence[tuple[str, ...]], examinations: Sequence[int]
    ) -> Iterator[dict]:
        known: dict[tuple[int, str], date] = {}
        for stay, given, examination_id in zip(seen, codes, examinations, strict=True):
            if not stay.is_last:
                continue  # the diagnosis is made when the result is there
            for position, code in enumerate(given):
                case = (stay.plan.person, code[:CATEGORY])
                before = known.get(case)
                is_old = before is not None and is_same_case(code, before, stay.plan.on)
                known[case] = stay.plan.on
                title, edition = self.title(code)
                yield {
                    "examination_id": examination_id,
                    "code": code,
                    "title": title,
                    "edition": edition,
                    "case_type": CaseType.OLD if is_old else CaseType.NEW,
                    "is_primary": position == 0,
                    "position": position,
                    "recorded_at": stay.ended_at,
                    "recorded_by_id": self.users[stay.room.code].id,
                }

    def _vital_signs(self, stay: Stay, key: tuple[int, int]) -> dict:
        at = stay.queued_at + (stay.started_at - stay.queued_at) / 2  # while waiting
        build = build_of(stay.plan.person)
        return vital_signs(self.random, stay.plan.case, stay.months, build) | {
            "visit_id": key[0],
            "entry_id": key[1],
            "occurred_at": at,
            "recorded_at": at,
            "recorded_by_id": self.users[stay.room.code].id,
        }

    def _allergies(self, seen: Sequence[Stay]) -> Iterator[dict]:
        """Some patients told of an allergy at their first visit."""
        first = {stay.plan.person: stay for stay in reversed(seen)}
        for number, stay in sorted(first.items()):
            if self.random.random() > ALLERGIC_SHARE:
                continue
            substance, reaction = self.random.choice(ALLERGIES)
            yield {
                "patient_id": self.patients[number].id,
                "original_patient_id": self.patients[number].id,
                "substance": substance,
                "reaction": reaction,
                "recorded_at": stay.ended_at - timedelta(minutes=1),
                "recorded_by_id": self.users[stay.room.code].id,
            }
