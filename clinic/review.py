"""The check page's judgement: warnings, cluster, likely existing patients, today's other visits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from clinic import asking, days, further_room, patients, routing
from clinic.identity_warnings import Warned, identity_warnings
from clinic.rooms import SEX_WORDS
from clinic.visit_snapshot import day_of_age
from db import db
from formatting import age_on
from models import (
    DraftKind,
    Patient,
    Poli,
    Priority,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)

_ROOM = select(Poli).where(Poli.code == bindparam("code"))  # built once
MIN_REASON = 4
DANGER = "R1"
_NO_REASON = "Tulis alasannya, beberapa kata saja, atau perbaiki isiannya."
_SAME_PERSON = (
    "NIK, nama, dan tanggal lahirnya sama dengan pasien itu: pakai catatan itu. Bila memang orang "
    "lain, tulis alasannya di peringatan ini."
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
    typed_phone: str = ""  # which may say more than the number that is kept
    on: date | None = None  # the day on a paper slip; None: today
    was_served: bool = False  # by the slip: nobody is to be brought anywhere any more


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
    running: list[Visit] = field(default_factory=list)  # those that go on; none beside a slip

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

    def has_come_since(self, since: datetime, shown: Collection[str] | None) -> bool:
        """Whether a visit goes on that was not on the check page: nobody decided on a second one.

        `shown` are those that were, by public id; where that is not known, those of before.
        """
        if shown is None:
            return any(visit.recorded_at > since for visit in self.running)
        return any(visit.public_id not in shown for visit in self.running)

    def in_room_since(self, instant: datetime) -> bool:
        """Whether the patient got into the line of the chosen room since."""
        stays = (stay for visit in self.running for stay in visit.entries)
        here = (stay for stay in stays if stay.poli is self.poli and stay.state in days.STILL_HERE)
        return any(stay.queued_at > instant for stay in here)

    def unanswered(self, reasons: Mapping[str, str]) -> dict[str, str]:
        """Rule and sentence of each error or warning that still lacks a reason."""
        return {
            warned.rule: _SAME_PERSON if warned.is_same_person else _NO_REASON
            for warned in self.warnings
            if warned.level in ("error", "warning")
            and len(reason_for(warned, reasons)) < MIN_REASON
        }


def reason_for(warned: Warned, reasons: Mapping[str, str]) -> str:
    """The reason that answers a warning: its own, or the one for all.

    That one makes no second record of somebody whose NIK, name and birth date a record has.
    """
    for_all = "" if warned.is_same_person else reasons.get("", "")
    return (reasons.get(warned.rule) or for_all).strip()


def review(application: Application, *, with_likely: bool = True) -> Review:
    """Everything the check page has to say; a save needs no look for likely patients."""
    on = application.on or days.clinic_date()
    warnings = identity_warnings(
        application.identity,
        application.patient,
        on,
        is_returning=application.kind == DraftKind.RETURNING,
        is_completed=is_completed(application),
        is_shown=with_likely,
        typed_phone=application.typed_phone,
    )
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
    red_flags = rules.red_flags(case)
    if application.was_served and red_flags:
        warnings = [_told_late(one, red_flags) if one.rule == DANGER else one for one in warnings]
        red_flags = ()
    warnings += _no_room(application)
    others = [visit for visit in visits if visit is not application.about_visit]
    return Review(
        warnings=sorted(warnings, key=lambda w: ("error", "warning", "info").index(w.level)),
        red_flags=red_flags,
        cluster=cluster,
        chosen_cluster=application.cluster or cluster.code,
        priority=priority_of(application, case),
        poli=db.session.scalar(_ROOM, {"code": application.poli_code}),
        likely=likely,
        visits_today=others,
        running=[] if application.on else [one for one in others if one.status is VisitStatus.OPEN],
    )


def is_completed(application: Application) -> bool:
    """Who it is was typed at a visit; without one the records staff correct it, and say why."""
    return application.kind == DraftKind.IDENTITY and application.about_visit is not None


def _service_day(application: Application, today: date) -> date:
    """In the night the day that still goes on is yesterday."""
    day = None if application.on else days.current_day()
    return day.on if day else application.on or today


def case_of(application: Application, today: date) -> routing.Case:
    """What routing needs to know of a registration, told on this calendar day."""
    born, sex = application.identity.birth_date, application.identity.sex
    on = day_of_age(born, _service_day(application, today), today)  # as the visit will keep it
    return routing.Case(
        complaint=application.complaint,
        sex=sex if sex in SEX_WORDS else "",  # a form that is not valid says anything
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


def _told_late(danger: Warned, red_flags: tuple[str, ...]) -> Warned:
    words = ", ".join(red_flags)
    sentence = f"Tanda bahaya pada slip: {words}. Menurut slip pasien sudah dilayani."
    return replace(danger, level="info", message=sentence, target_code=None)


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
