"""Answers of the rooms' forms as rows: ended and added, never overwritten; and read again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, select

from clinic import teeth
from clinic.audit import Actor
from clinic.form_definitions import CHILD, DENTAL, FORMS, PREGNANCY, SICK_CHILD
from clinic.teeth import CONDITION, Finding
from db import db, utcnow
from models import Examination, ExaminationAnswer, Poli, Visit, VisitStatus

Answers = Mapping[str, str]  # by code, as kept; what is not there was not answered
Forms = Mapping[str, Answers]  # by the form's name

CHILD_FORM_BELOW_MONTHS = 72
# From this age nobody is weighed for growth, and nobody below it is pregnant: as poli.csv of KIA.
CHILDHOOD_BELOW_MONTHS = 120
# Told at one visit of a pregnancy they hold for the next: dates, G P A, what came before.
OF_PREGNANCY = ("lmp", "edd_scan", "gravida", "para", "abortus", "birth_gap", "tetanus")


def offered(poli: Poli) -> list[str]:
    """The forms that this room uses, in its order."""
    return [name for name in poli.room_forms.split() if name in FORMS]


def suiting(poli: Poli, visit: Visit) -> list[str]:
    """The room's forms without those that cannot be meant for this patient; never none of them.

    Who is told to be pregnant or newly delivered gets that form at any age.
    """
    months, names = visit.age_months, offered(poli)
    is_child = months is not None and months < CHILDHOOD_BELOW_MONTHS
    out = {CHILD} if months is not None and not is_child else set()
    if visit.pregnant not in ("ya", "nifas") and (is_child or visit.patient.sex == "L"):
        out.add(PREGNANCY)
    return [name for name in names if name not in out] or names


def proposed(poli: Poli, visit: Visit) -> str:
    """Of several forms the one for this patient: by age and pregnancy; '' where there is none."""
    names = offered(poli)
    is_small = visit.age_months is not None and visit.age_months < CHILD_FORM_BELOW_MONTHS
    if PREGNANCY in names and visit.pregnant in ("ya", "nifas"):
        return PREGNANCY
    fitting = [name for name in names if (name == PREGNANCY) != is_small]
    return (fitting or names or [""])[0]


def current(examination: Examination | None) -> dict[str, dict[str, str]]:
    """What is answered now, by form."""
    return by_examination([examination.id])[examination.id] if examination else {}


def by_examination(ids: Sequence[int]) -> dict[int, dict[str, dict[str, str]]]:
    """What is answered in these examinations, by form; 1 query."""
    rows = select(ExaminationAnswer).where(
        ExaminationAnswer.examination_id.in_(ids), ExaminationAnswer.ended_at.is_(None)
    )
    found: dict[int, dict[str, dict[str, str]]] = defaultdict(dict)
    for row in db.session.scalars(rows.order_by(ExaminationAnswer.id)):
        found[row.examination_id].setdefault(row.form, {})[row.code] = row.value
    return found


def says_the_same(examination: Examination, wanted: Forms) -> bool:
    """Whether the forms that were sent say what is kept."""
    now = current(examination)
    return all(now.get(form, {}) == dict(answers) for form, answers in wanted.items())


def write(actor: Actor, examination: Examination, wanted: Forms) -> bool:
    """Make each form that was sent say this; tells whether anything changed."""
    changes = [_write(actor, examination, form, answers) for form, answers in wanted.items()]
    db.session.flush()
    return any(changes)


def _write(actor: Actor, examination: Examination, form: str, wanted: Answers) -> bool:
    rows = select(ExaminationAnswer).where(
        ExaminationAnswer.examination_id == examination.id,
        ExaminationAnswer.form == form,
        ExaminationAnswer.ended_at.is_(None),
    )
    present = {row.code: row for row in db.session.scalars(rows)}
    changed = {code for code, row in present.items() if wanted.get(code) != row.value}
    for code in changed:
        present[code].ended_at, present[code].ended_by_id = utcnow(), actor.user_id
    db.session.flush()
    added = {code for code in wanted if code in changed or code not in present}
    db.session.add_all(
        ExaminationAnswer(
            examination_id=examination.id,
            form=form,
            code=code,
            value=wanted[code],
            recorded_by_id=actor.user_id,
        )
        for code in wanted
        if code in added
    )
    return bool(changed or added)


# --- What earlier visits said -------------------------------------------------------------------


def _earlier(visit: Visit, form: str, *also: ColumnElement[bool]):
    """Answers of this form in the patient's visits up to this one, the newest last."""
    return (
        select(ExaminationAnswer, Visit)
        .join(Examination, ExaminationAnswer.examination_id == Examination.id)
        .join(Visit, Examination.visit_id == Visit.id)
        .where(
            Visit.patient_id == visit.patient_id,
            Visit.status != VisitStatus.CANCELLED,
            Visit.occurred_at <= visit.occurred_at,
            ExaminationAnswer.form == form,
            ExaminationAnswer.ended_at.is_(None),
            *also,
        )
        .order_by(Visit.occurred_at, Visit.id, ExaminationAnswer.id)
    )


def last_chart(visit: Visit) -> dict[str, tuple[Finding, Visit]]:
    """By tooth: what was last found and done before this visit, and in which one."""
    told: dict[int, dict[str, str]] = {}
    visits: dict[int, Visit] = {}
    for row, when in db.session.execute(_earlier(visit, DENTAL, Visit.id != visit.id)):
        # A further stay's form begins with the conditions alone: what was done stays done.
        told.setdefault(when.id, {})[row.code] = row.value
        visits[when.id] = when
    return {
        found.tooth: (found, visits[earlier])
        for earlier, answers in told.items()
        for found in teeth.findings(answers)
    }


def last_pregnancy(visit: Visit) -> tuple[dict[str, str], Visit] | None:
    """What the patient's newest pregnancy form told of the pregnancy itself.

    It may be this visit's: who comes back from the laboratory has a second stay in the room.
    """
    return _newest(_earlier(visit, PREGNANCY, ExaminationAnswer.code.in_(OF_PREGNANCY)))


def teeth_so_far(visit: Visit) -> tuple[dict[str, str], Visit] | None:
    """The conditions found in an earlier stay of this visit; what was done is not done again."""
    is_condition = ExaminationAnswer.code.like(f"{CONDITION}%")
    return _newest(_earlier(visit, DENTAL, Visit.id == visit.id, is_condition))


def _newest(rows: Select) -> tuple[dict[str, str], Visit] | None:
    """What the newest of the visits told."""
    told: dict[int, dict[str, str]] = {}
    visits: dict[int, Visit] = {}
    for row, when in db.session.execute(rows):
        told.setdefault(when.id, {})[row.code] = row.value
        visits[when.id] = when
    if not told:
        return None
    newest = list(told)[-1]
    return told[newest], visits[newest]


def danger_of(visit: Visit) -> dict[str, str]:
    """The newest MTBS answers of this visit that tell of danger signs."""
    rows = (
        select(ExaminationAnswer)
        .join(Examination, ExaminationAnswer.examination_id == Examination.id)
        .where(
            Examination.visit_id == visit.id,
            ExaminationAnswer.form == SICK_CHILD,
            ExaminationAnswer.ended_at.is_(None),
        )
        .order_by(ExaminationAnswer.examination_id, ExaminationAnswer.id)
    )
    told: dict[int, dict[str, str]] = {}
    for row in db.session.scalars(rows):
        told.setdefault(row.examination_id, {})[row.code] = row.value
    asked = [answers for answers in told.values() if "danger" in answers]
    return asked[-1] if asked else {}
