"""The check page's judgement: warnings, cluster, likely existing patients, today's other visits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from clinic import (
    asking,
    days,
    deaths,
    further_room,
    identity_change,
    names,
    patients,
    routing,
)
from clinic.nik_checks import agreement, nik_findings, no_nik_findings
from db import db, run
from formatting import age_on
from models import (
    DatePrecision,
    DraftKind,
    Patient,
    Poli,
    Priority,
    QueueEntry,
    ServiceDay,
    Visit,
)
from validators import phone_finding

TODDLER_YEARS = 5
_ROOM = select(Poli).where(Poli.code == bindparam("code"))  # built once
MIN_REASON = 4
ENOUGH_PATIENTS = 200  # before, each region is new
_OF_REGION = select(
    select(Patient.id).where(Patient.nik.between(bindparam("low"), bindparam("high"))).exists(),
    select(func.max(Patient.id)).scalar_subquery(),
)


@dataclass(frozen=True)
class Application:
    """A registration with every field cleaned."""

    identity: patients.Identity
    complaint: str = ""
    poli_code: str = ""
    visit_type: str = "SAKIT"
    bpjs_home: str = ""
    pregnant: str = ""
    priority: str = ""
    cluster: str = ""
    kind: DraftKind = DraftKind.NEW
    patient: Patient | None = None
    based_on: int = 0  # the version of the patient that the identity was typed over
    about_visit: Visit | None = None
    on: date | None = None  # the day on a paper slip; None: today


@dataclass(frozen=True)
class Warned:
    """One warning of the check page; `patient` when it is about somebody else's record."""

    rule: str
    level: str
    message: str
    target_code: str | None = None
    patient: Patient | None = None
    is_final: bool = False  # no reason answers it


@dataclass(frozen=True)
class Review:
    warnings: list[Warned]
    red_flags: tuple[str, ...] = ()
    cluster: routing.Cluster | None = None
    chosen_cluster: str = ""
    priority: Priority = Priority.NONE
    poli: Poli | None = None
    likely: asking.Likely = field(default_factory=asking.Likely)
    visits_today: list[Visit] = field(default_factory=list)

    @property
    def owner(self) -> Patient | None:
        """Who has the NIK already, if that is somebody else."""
        return next((w.patient for w in self.warnings if w.patient is not None), None)

    @property
    def final(self) -> Warned | None:
        """What stops the save whatever the reason."""
        return next((w for w in self.warnings if w.is_final), None)

    @property
    def besides(self) -> set[str]:
        """Whom a warning asks about already: they are not asked about twice."""
        return {warned.patient.public_id for warned in self.warnings if warned.patient}

    def unanswered(self, reasons: Mapping[str, str]) -> dict[str, str]:
        """Rule and sentence of each error or warning that still lacks a reason."""
        one_for_all = reasons.get("", "")
        return {
            warned.rule: "Tulis alasannya, beberapa kata saja, atau perbaiki isiannya."
            for warned in self.warnings
            if warned.level in ("error", "warning")
            and len((reasons.get(warned.rule) or one_for_all).strip()) < MIN_REASON
        }


def review(application: Application, *, with_likely: bool = True) -> Review:
    """Everything the check page has to say; a save needs no look for likely patients."""
    on = application.on or days.clinic_date()
    warnings = _identity_warnings(application, on, is_shown=with_likely)
    likely = asking.Likely()
    if with_likely and application.kind != DraftKind.ROOM:
        likely = asking.look(application.identity, application.patient)
    if application.kind == DraftKind.IDENTITY:
        return Review(warnings=warnings, likely=likely)
    visits = _visits_on(application)
    rules = routing.load()
    case = case_of(application, on)
    cluster = rules.cluster(case)
    found = rules.findings(
        case,
        chosen_cluster=application.cluster or None,
        open_entries=_open_entries(visits, application),
    )
    warnings += [Warned(f.rule, f.level, f.message, f.target_code) for f in found]
    warnings += _no_room(application)
    return Review(
        warnings=sorted(warnings, key=lambda w: ("error", "warning", "info").index(w.level)),
        red_flags=rules.red_flags(case),
        cluster=cluster,
        chosen_cluster=application.cluster or cluster.code,
        priority=priority_of(application, case),
        poli=db.session.scalar(_ROOM, {"code": application.poli_code}),
        likely=likely,
        visits_today=[visit for visit in visits if visit is not application.about_visit],
    )


def case_of(application: Application, on: date) -> routing.Case:
    """What routing needs to know of a registration."""
    born = application.identity.birth_date
    return routing.Case(
        complaint=application.complaint,
        sex=application.identity.sex,
        birth_date=born,
        age_months=age_on(born, on).total_months if born and born <= on else None,
        pregnant=application.pregnant,
        poli_code=application.poli_code,
        on=on,
    )


def priority_of(application: Application, case: routing.Case) -> Priority:
    """The clerk's choice, else by rule."""
    by_rule = routing.load().rooms.priority(case.poli_code, case.known_months, case.pregnant)
    return Priority(application.priority) if application.priority else by_rule


def nik_agreement(identity: patients.Identity, on: date) -> str:
    """What of the person the NIK confirms, in words; empty when nothing."""
    if not identity.nik:
        return ""
    born = _exact_birth(identity)
    return agreement(identity.nik, sex=identity.sex, birth_date=born, today=on)


def _exact_birth(identity: patients.Identity) -> date | None:
    return identity.birth_date if identity.birth_precision == DatePrecision.DAY else None


def _identity_warnings(application: Application, on: date, *, is_shown: bool) -> list[Warned]:
    identity = application.identity
    found = []
    if identity.nik:
        found += nik_findings(
            identity.nik,
            sex=identity.sex,
            birth_date=_exact_birth(identity),
            today=on,
            kk_number=identity.kk_number,
            mother_nik=identity.mother_nik,
            as_printed=identity.is_nik_as_printed,
            is_new_region=is_shown and _is_new_region(identity.nik),
        )
    known = application.patient
    found += no_nik_findings(identity, known.no_nik_reason if known else None)
    phone = phone_finding(identity.phone) if identity.phone else None
    warnings = [Warned(f.rule, f.level, f.message) for f in [*found, *([phone] if phone else [])]]
    warnings += _mother_warning(identity, on)
    warnings += _death_warning(application.patient)
    warnings += _other_person_warning(application)
    return warnings + _taken_warning(application)


def _is_new_region(nik: str) -> bool:
    region = {"low": nik[:6] + "0" * 10, "high": nik[:6] + "9" * 10}
    is_known, newest = run(_OF_REGION, region).one()
    return not is_known and (newest or 0) >= ENOUGH_PATIENTS


def _mother_warning(identity: patients.Identity, on: date) -> list[Warned]:
    born = identity.birth_date
    if not born or born > on or age_on(born, on).years >= TODDLER_YEARS or identity.mother_name:
        return []
    return [
        Warned(
            "MOTHER-1",
            "warning",
            "Nama ibu belum diisi. Anak di bawah 5 tahun mudah tertukar tanpa nama ibunya.",
        )
    ]


def _death_warning(patient: Patient | None) -> list[Warned]:
    more = "menurut catatannya. Bila keliru, minta ruang yang memeriksa membetulkannya."
    told = deaths.mark(patient) if patient else []
    return [Warned("DEATH-1", "warning", f"{mark} {more}") for mark in told]


def _other_person_warning(application: Application) -> list[Warned]:
    is_returning = application.kind == DraftKind.RETURNING and application.patient
    found = is_returning and identity_change.replaced(application.patient, application.identity)
    if not found:
        return []
    sentence = (
        f"Catatan RM {application.patient.mrn} akan diganti: {', '.join(found)}. Bila yang datang "
        "orang lain, jangan simpan: kembali dan cari orangnya."
    )
    return [Warned("PERSON-1", "error", sentence)]


def nik_owner(nik: str | None, patient: Patient | None = None) -> Patient | None:
    """Who has this NIK, if that is not `patient`."""
    owner = patients.by_nik(nik) if nik else None
    return None if owner is None or (patient and owner.id == patient.id) else owner


def is_surely(identity: patients.Identity, owner: Patient) -> bool:
    """Name and birth date are those of the NIK's owner; else the two must be compared."""
    same_name = names.name_tokens(identity.name).text == names.name_tokens(owner.name).text
    return same_name and identity.birth_date == owner.birth_date


def _taken_warning(application: Application) -> list[Warned]:
    owner = nik_owner(application.identity.nik, application.patient)
    return [taken_warning(owner)] if owner else []


def taken_warning(owner: Patient) -> Warned:
    """NIK-TAKEN: never attached silently, never a dead end."""
    return Warned(
        "NIK-TAKEN",
        "error",
        f"NIK ini sudah tercatat pada pasien {owner.name} (No. RM {owner.mrn}). Bila orangnya "
        "sama, pakai catatan itu. Bila berbeda, tulis alasannya; rekam medis akan memeriksa.",
        patient=owner,
    )


def _visits_on(application: Application) -> list[Visit]:
    """The patient's other visits of the day, of today or of the slip."""
    patient = application.patient
    day = days.current_day() if patient and not application.on else None
    if patient is None or (day is None and not application.on):
        return []
    is_day = ServiceDay.on == application.on if application.on else ServiceDay.id == day.id
    return list(
        db.session.scalars(
            select(Visit)
            .join(Visit.service_day)
            .where(Visit.patient_id == patient.id, is_day)
            .options(joinedload(Visit.entries).joinedload(QueueEntry.poli))
            .order_by(Visit.id)
        ).unique()
    )


def _no_room(application: Application) -> list[Warned]:
    if application.kind != DraftKind.ROOM:
        return []
    refused = further_room.refusal(application.about_visit, application.poli_code)
    return [Warned(refused[0], "error", refused[1], is_final=True)] if refused else []


def _open_entries(visits: list[Visit], application: Application) -> list[tuple[str, str]]:
    """Where the patient stands; of a further room's own visit `_no_room` speaks."""
    return [
        (entry.poli.code, visit.label)
        for visit in visits
        if application.kind != DraftKind.ROOM or visit is not application.about_visit
        for entry in visit.entries
        if entry.state in days.STILL_HERE
    ]
