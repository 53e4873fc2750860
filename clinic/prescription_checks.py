"""The rules that warn of a prescription: allergies, doubles, unusual amounts.

They look at lines as they are, stored or only wanted (`prescription_lines.WantedLine`).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from clinic import (
    allergies,
    dispensing_reports,
    medicine_allergies,
    prescription_amounts,
    settings,
)
from clinic import prescription_directions as directions
from clinic import prescription_text as words
from clinic.dispensing_reports import Handed
from clinic.medicine_words import key
from clinic.prescription_compounds import RAW
from db import db, utcnow
from formatting import day_in_zone, short_date
from models import (
    Allergy,
    Medicine,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    PrescriptionWarning,
    Route,
    Visit,
)

ALLERGY, DOUBLE, SAME_VISIT, STILL_HAS = "ALERGI", "GANDA", "GANDA-KUNJUNGAN", "MASIH-ADA"
FAMILY = "GOLONGAN"
WARNING, INFO = "warning", "info"
HELD = (
    PrescriptionState.SENT,
    PrescriptionState.REVIEWED,
    PrescriptionState.DISPENSED,
    PrescriptionState.PARTIAL,
)
# What is used there does not add up with what is swallowed or injected.
LOCAL = (Route.TOPICAL, Route.EYE, Route.EAR, Route.NOSE, Route.VAGINAL)
BROAD_FAMILIES = ("betalaktam",)  # of interest to the allergic only


@dataclass(frozen=True)
class MedicineWarning:
    """One warning; `subject` says what it is about, so that a changed dose is another one."""

    rule: str
    subject: str
    message: str
    level: str = WARNING
    line: Any = None  # a stored line, or a wanted one
    answer: PrescriptionWarning | None = None

    @property
    def key(self) -> str:
        """Short and stable, for the name of a form's field."""
        return hashlib.sha256(f"{self.rule}/{self.subject}".encode()).hexdigest()[:10]

    @property
    def is_open(self) -> bool:
        return self.level == WARNING and self.answer is None


def findings(
    visit: Visit,
    lines: Sequence[Any],
    prescription: Prescription | None,
    unsaved: Sequence[Allergy] = (),
) -> list[MedicineWarning]:
    """All that is true of these lines, each once, without the answers.

    `unsaved` are allergies that a form tells of and nobody has recorded yet.
    """
    found = [
        *against_allergies(visit, lines, unsaved),
        *_doubles(lines),
        *_others(visit, lines, prescription),
    ]
    found += [*_families(lines), *_amounts(lines)]
    unique = {(each.rule, each.subject): each for each in reversed(found)}
    return list(reversed(unique.values()))


# --- What a line holds ------------------------------------------------------------------------


def _held(line: Any) -> list[tuple[str, Medicine | None]]:
    """Title and medicine of each thing in the line."""
    if line.is_compound:
        return [(each.title, each.medicine) for each in line.components]
    return [(line.title, line.medicine)]


def _ingredients(line: Any) -> dict[tuple[str, str], str]:
    """Active ingredients with where they act; of what is not on the list its name.

    Their keys compare in any spelling; the words are as they were written, for who reads them.
    """
    found = {}
    for title, medicine in _held(line):
        if medicine is None:
            word = title.removeprefix(RAW).split(" ")[0].strip(",;:")
            found[key(word), ""] = word
            continue
        where = medicine.route.value if medicine.route in LOCAL else ""
        found |= {(key(each), where): each for each in medicine.ingredient_list}
    return found


def _about(*parts: object) -> str:
    return "|".join(str(part) for part in parts)[:200]


# --- The rules --------------------------------------------------------------------------------


def against_allergies(
    visit: Visit, lines: Sequence[Any], unsaved: Sequence[Allergy] = ()
) -> Iterable[MedicineWarning]:
    """What in these lines the patient is allergic to as of now, for every line that has it."""
    held = [*allergies.current(visit.patient), *unsaved]
    if not held:
        return
    known = medicine_allergies.catalogue()
    for line in lines:
        for title, medicine in _held(line):
            for allergy in held:
                how = medicine_allergies.matches(allergy.substance, title, medicine, known)
                if not how:
                    continue
                reaction = f" ({allergy.reaction})" if allergy.reaction else ""
                why = "" if how == "zat" else f" ({how})"
                yield MedicineWarning(
                    ALLERGY,
                    _about(key(allergy.substance), key(title)),
                    f"Pasien alergi {allergy.substance}{reaction}: {title}{why}.",
                    line=line,
                )


def _doubles(lines: Sequence[Any]) -> Iterable[MedicineWarning]:
    by_ingredient: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for line in lines:
        for each in _ingredients(line):
            by_ingredient[each].append(line)
    for (name, where), both in sorted(by_ingredient.items(), key=lambda item: item[0]):
        if len(both) > 1:
            titles = " dan ".join(line.title for line in both)
            word = _ingredients(both[0])[name, where]
            message = f"{word[:1].upper()}{word[1:]} ada di {len(both)} baris resep ini: {titles}."
            yield MedicineWarning(DOUBLE, _about(name, where, len(both)), message, line=both[-1])


def _others(
    visit: Visit, lines: Sequence[Any], prescription: Prescription | None
) -> Iterable[MedicineWarning]:
    wanted = [(each, line) for line in lines for each in sorted(_ingredients(line))]
    others = _other_prescriptions(visit, prescription)
    handed = dispensing_reports.by_line(line.id for other in others for line in other.lines)
    for other in others:
        for before in other.lines:
            if before.ended_at is not None:
                continue
            is_now = other.visit_id == visit.id
            until = None if is_now else _lasts_until(other, before, handed.get(before.id))
            if not is_now and until is None:
                continue
            shared = _ingredients(before)
            for (name, where), line in wanted:
                if (name, where) in shared:
                    word = _ingredients(line)[name, where]
                    yield _double_elsewhere(name, word, line, before, other, until)


def _double_elsewhere(
    name: str, word: str, line: Any, before: PrescriptionLine, other: Prescription, until: Any
) -> MedicineWarning:
    zone = settings.value("time_zone")
    on = short_date(day_in_zone(other.sent_at, zone)) if other.sent_at else "hari ini"
    if until is None:
        message = (
            f"{before.title} sudah diresepkan dalam kunjungan ini ({other.number or 'konsep'})."
        )
        return MedicineWarning(SAME_VISIT, _about(name, other.public_id), message, line=line)
    message = f"{before.title} dari {on} masih cukup sampai {short_date(until)}: {word} jadi ganda."
    return MedicineWarning(STILL_HAS, _about(name, other.public_id), message, line=line)


def _lasts_until(other: Prescription, line: PrescriptionLine, handed: Handed | None) -> Any:
    """The last day that the patient still has of it; None when it is used up, or nobody knows."""
    kept = dispensing_reports.kept(line, handed)
    if other.sent_at is None or kept == 0:
        return None
    days = line.days
    if kept and days:
        days = int(words.whole_up(days * kept / line.quantity))
    elif kept:
        per_unit = line.medicine.doses_per_unit if line.medicine else 1
        days = directions.days_supplied(kept, line.times_a_day, line.dose, per_unit)
    if not days:
        return None
    zone = settings.value("time_zone")
    begun = other.closed_at if handed and other.closed_at else other.sent_at
    last = day_in_zone(begun, zone) + timedelta(days=days - 1)
    return last if last > day_in_zone(utcnow(), zone) else None


def _other_prescriptions(visit: Visit, prescription: Prescription | None) -> list[Prescription]:
    """Of this visit all that were not cancelled; of earlier ones what was sent."""
    lines = selectinload(Prescription.lines)
    since = utcnow() - timedelta(days=words.MOST_DAYS)
    is_of_visit = Prescription.visit_id == visit.id
    was_sent = Prescription.state.in_(HELD) & (Prescription.sent_at > since)
    rows = (
        select(Prescription)
        .join(Prescription.visit)
        .options(
            lines.joinedload(PrescriptionLine.medicine),
            lines.selectinload(PrescriptionLine.components).joinedload(
                PrescriptionComponent.medicine
            ),
        )
        .where(
            Visit.patient_id == visit.patient_id,
            Prescription.state != PrescriptionState.CANCELLED,
            is_of_visit | was_sent,
            Prescription.id != (prescription.id if prescription and prescription.id else 0),
        )
        .order_by(Prescription.id)
    )
    return list(db.session.scalars(rows))


def _families(lines: Sequence[Any]) -> Iterable[MedicineWarning]:
    """Two of one family: told, not asked about."""
    by_family: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        for title, medicine in _held(line):
            if medicine is not None and medicine.route not in LOCAL:
                for family in set(medicine.family_list) - set(BROAD_FAMILIES):
                    by_family[family].append(title)
    for family, titles in sorted(by_family.items()):
        if len(set(titles)) > 1:
            message = f"Satu golongan ({family}): {', '.join(dict.fromkeys(titles))}."
            yield MedicineWarning(FAMILY, _about(family), message, INFO)


def _amounts(lines: Sequence[Any]) -> Iterable[MedicineWarning]:
    for line in lines:
        for rule, about, text in prescription_amounts.unusual(line):
            message = f"{line.title}: {text}. Periksa lagi."
            yield MedicineWarning(rule, _about(*about), message, line=line)
