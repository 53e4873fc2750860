"""One patient's record with something of everything in it, and one text in every field."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from clinic import (
    allergies,
    amendments,
    dispensing,
    lab_entry,
    lab_results,
    prescription_warnings,
    prescriptions,
    queues,
    records,
    settings,
    stock,
    triage,
)
from clinic.diagnoses import DiagnosisInput
from clinic.dispensing import Given
from clinic.dispensing_review import ASPECTS, ReviewInput
from clinic.lab_entry import Entered
from clinic.lab_orders import OrderInput
from clinic.prescription_lines import LineInput
from clinic.prescriptions import PrescriptionInput
from clinic.procedures import ProcedureInput
from clinic.records import ExaminationInput
from db import db, new_public_id, transaction, utcnow
from models import (
    Allergy,
    Amendment,
    Consent,
    ConsentDecision,
    Dispensing,
    Examination,
    ExaminationAnswer,
    Immunization,
    LabResult,
    Paper,
    PaperKind,
    Patient,
    PoliKind,
    Prescription,
    QueueEntry,
    Signer,
    TriagePriority,
    Visit,
)
from tests import factories, pharmacy
from tests.test_dispensing import review
from tests.test_laboratory import typed
from tests.test_papers import issue

LONG_AGO = date(2026, 1, 2)
# Where a note, a choice, teeth, or a question that is gone is expected.
ANSWERS = {
    "risk_note": "hamil",
    "presentation": "hamil",
    "child_note": "anak",
    "danger_reason": "mtbs",
    "mtbs_note": "mtbs",
    "danger": "mtbs",
    "oral_note": "gigi",
    "tooth36": "gigi",
    "act36": "gigi",
    "dulu": "dulu",
}
PRINTED = ("clinic_name", "clinic_address", "clinic_phone", "clinic_city", "clinic_office")


@dataclass(frozen=True)
class Whole:
    """`refs` by the names that addresses use; `draft` is the entry that is being served."""

    refs: dict[str, str]
    draft: QueueEntry
    finished: Examination
    at_laboratory: QueueEntry
    reported: Visit
    at_pharmacy: QueueEntry
    prescription: Prescription

    @property
    def desks(self) -> list[str]:
        """Where to begin to look at all of it."""
        further = (self.at_laboratory, self.at_pharmacy)
        visits = [_address(row.visit) for row in (self.draft, self.finished, *further)]
        senders = [f"{_address(row.visit)}?antrean={_first_of(row.visit)}" for row in further]
        desks = [f"{_address(visit)}/laboratorium" for visit in (self.reported, further[0].visit)]
        desks += [f"{_address(self.finished.visit)}/farmasi", "/poli/UMUM", "/poli/LAB"]
        stock = [
            f"/farmasi/stok/{self.prescription.lines[0].medicine.code}",
            "/farmasi/stok/AMOX500",
        ]
        return ["/", "/layar", "/poli/FARMASI", *visits, *senders, *desks, *stock]


def _address(visit: Visit) -> str:
    return f"/kunjungan/{visit.public_id}"


def _first_of(visit: Visit) -> str:
    return visit.entries[0].public_id


def write(text: str, name: str = "") -> Whole:
    """All of it, by the clinic's own functions where these can be made to take the text."""
    person = factories.patient(
        name or text, address=text, village=text[:60], mother_name=text, phone="0812"
    )
    with transaction():
        for key in PRINTED:
            settings.set_value(key, text[:60])
        found = db.session.get_one(Patient, person.id)
        allergies.add_allergy(factories.actor("umum"), found, "Penisilin", text)
        ended = allergies.add_allergy(factories.actor("umum"), found, text[:80], text)
        allergies.end_allergy(factories.actor("umum"), ended, text)
    finished = _examined(person, text)
    _additions(finished, text)
    made = prescriptions.of(finished)
    dispensed = _dispensed(made, text)
    at_laboratory, result = _laboratory(person, text)
    draft = _draft(person, text)
    again = _prescribed(person, text)
    paper = _papers(finished, text)
    db.session.rollback()
    first = {
        "visit": draft.visit,
        "entry": draft,
        "examination": finished,
        "prescription": again,
        "line": prescriptions.active_lines(again)[0],
        "order": result.order,
        "result": result,
        "paper": paper,
        "patient": draft.visit.patient,
        "allergy": _first(Allergy),
        "dose": _first(Immunization),
        "dispensing_ref": dispensed,
        "amendment": _first(Amendment),
    }
    refs = {name: row.public_id for name, row in first.items()}
    reported = result.order.visit
    return Whole(
        refs, draft, finished, at_laboratory, reported, pharmacy.pharmacy_entry(again), again
    )


def _first(model):
    return db.session.scalars(select(model).order_by(model.id)).first()


def _served(person: Patient, text: str, code: str = "UMUM") -> QueueEntry:
    entry = factories.entry(code, person, complaint=text)
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai", text)
    return entry


def _form(text: str, **more) -> ExaminationInput:
    soap = ("subjective", "objective", "assessment", "plan", "therapy")
    return ExaminationInput(
        **dict.fromkeys(soap, text),
        diagnoses=[DiagnosisInput("J11"), DiagnosisInput(text)],
        procedures=[ProcedureInput("NEBUL", "1", text), ProcedureInput(text, "2", text)],
        **{"disposition": "pulang"} | more,
    )


def _medicines(text: str, *reasons: str) -> PrescriptionInput:
    lines = [
        LineInput("AMOX500", "3x1", "5", note=text, key="a"),
        LineInput("luar", quantity="3 buah", title=text, note=text, key="b"),
        LineInput("racikan", "3x1", "3", title="puyer", parts=f"gula {text} 2", note=text, key="c"),
    ]
    return PrescriptionInput(lines, text, dict.fromkeys(reasons, text))


def _examined(person: Patient, text: str) -> Examination:
    """Finished, with a prescription whose warning was answered."""
    entry, actor = _served(person, text), factories.actor("umum")
    with transaction():
        records.save(actor, entry, _form(text, prescription=_medicines(text)), 0)
    with transaction():
        examination = db.session.get_one(QueueEntry, entry.id).examination
        asked = prescription_warnings.unanswered(prescriptions.of(examination))
        prescription_warnings.answer(
            actor, prescriptions.of(examination), {each.key: text for each in asked}
        )
        return records.finish(actor, entry, ExaminationInput(), examination.version)


def _additions(examination: Examination, text: str) -> None:
    """An addendum, a correction that was made, and one that waits."""
    me, other = factories.actor("umum"), factories.actor("kepala")
    with transaction():
        records.add_addendum(me, db.session.get_one(Examination, examination.id), text)
    with transaction():
        row = db.session.get_one(Examination, examination.id)
        amendments.amend(me, row, ExaminationInput(plan=f"{text} 2"), {}, text, row.version)
    with transaction():
        row = db.session.get_one(Examination, examination.id)
        amendments.amend(other, row, ExaminationInput(plan=f"{text} 3"), {}, text, row.version)


def _dispensed(made: Prescription, text: str) -> Dispensing:
    """Reviewed with a remark, handed out in part from a batch, one tablet came back."""
    medicine = prescriptions.active_lines(made)[0].medicine
    batch = pharmacy.receive(medicine, 100, text[:40])
    with transaction():
        actor = factories.actor("farmasi")
        batch = db.session.merge(batch)
        stock.correct(actor, batch, Decimal(90), Decimal(100), text, new_public_id())
    review(made, ReviewInput(frozenset(ASPECTS), text))
    there = pharmacy.pharmacy_entry(made)
    with transaction():
        queues.act(factories.actor("farmasi"), there, "mulai", text)
        fresh = prescriptions.by_ref(made.public_id)
        refs = [line.public_id for line in prescriptions.active_lines(fresh)]
        given = {refs[0]: Given("5", text), refs[2]: Given("0", text)}
        dispensing.hand_over(actor, there, made.public_id, fresh.version, given)
    with transaction():
        dispensing.give_back(actor, db.session.merge(_first(Dispensing)), "1", text)
    db.session.rollback()
    return db.session.scalars(select(Dispensing).where(Dispensing.ended_at.is_(None))).first()


def _laboratory(person: Patient, text: str) -> tuple[QueueEntry, LabResult]:
    """One order done, with a text, a critical value that was corrected; another one open."""
    there = _sent(person, text, "HB", "U-SEDIMEN", "WIDAL")
    values = {"HB": "6,1", "U_SEDIMEN": text, "WIDAL": Entered(not_done=text)}
    with transaction():
        said = typed(there, **values)
        lab_entry.finish(factories.actor("lab"), there, said, text, 0)
    with transaction():
        result = db.session.merge(_first(LabResult))
        lab_results.correct(factories.actor("lab"), result, "6,2", text)
    open_one = _sent(person, text, "HB")
    db.session.rollback()
    return open_one, db.session.scalars(
        select(LabResult).where(LabResult.ended_at.is_(None), LabResult.value == "6,2")
    ).one()


def _sent(person: Patient, text: str, *codes: str) -> QueueEntry:
    """In the laboratory, being served."""
    entry = _served(person, text)
    form = _form(text, disposition="rujuk_internal", refer_to="LAB", lab=OrderInput(codes, text))
    with transaction():
        records.finish(factories.actor("umum"), entry, form, 0)
    there = next(row for row in entry.visit.entries if row.poli.kind is PoliKind.LABORATORY)
    with transaction():
        queues.act(factories.actor("lab"), there, "mulai", text)
    return there


def _draft(person: Patient, text: str) -> QueueEntry:
    """Somebody is writing it: with all rooms' forms, triage, consent, vaccines."""
    entry = _served(person, text)
    with transaction():
        actor, entry = factories.actor("umum"), db.session.get_one(QueueEntry, entry.id)
        entry.poli.room_forms = "gigi hamil anak mtbs"
        triage.write(actor, entry.visit, text, TriagePriority.RED)
        note = records.save(actor, entry, _form(text, prescription=_medicines(text)), 0)
        by = {"recorded_by_id": actor.user_id}
        db.session.add_all(
            ExaminationAnswer(examination_id=note.id, form=form, code=code, value=text, **by)
            for code, form in ANSWERS.items()
        )
        db.session.add_all(vaccines_of(entry.visit_id, actor.user_id, text))
        db.session.add(
            Consent(
                patient_id=person.id,
                original_patient_id=person.id,
                decision=ConsentDecision.REFUSED,
                signer=Signer.GUARDIAN,
                signed_by=text,
                **by,
            )
        )
    return entry


def vaccines_of(visit_id: int, user_id: int, text: str) -> list[Immunization]:
    """One that holds and one that was ended."""
    same = {"visit_id": visit_id, "recorded_by_id": user_id, "given_on": LONG_AGO}
    texts = {"batch": text[:40], "site": text[:40], "given_by": text, "override_reason": text}
    end = {"ended_at": utcnow(), "ended_by_id": user_id, "end_reason": text}
    first = Immunization(vaccine="BCG", dose=1, **same, **texts)
    return [first, Immunization(vaccine=text[:16], dose=2, **same, **texts, **end)]


def _prescribed(person: Patient, text: str) -> Prescription:
    """One that the pharmacy has before it."""
    medicine = pharmacy.medicine()
    pharmacy.receive(medicine, 100, text[:40])
    line = pharmacy.line(medicine, title=text[:100], instruction=text[:200])
    return pharmacy.prescription(line, person=person)


def _papers(examination: Examination, text: str) -> Paper:
    """Of each kind one, the first taken back."""
    body = dict.fromkeys(("complaint", "diagnosis", "therapy", "advice"), text)
    referred = dict.fromkeys(("to_whom", "to_poli", "reason", "findings", "diagnosis"), text)
    issue(examination, PaperKind.SUMMARY, **body)
    issue(examination, PaperKind.REFERRAL, **referred)
    issue(examination, PaperKind.HEALTH, purpose=text, note=text, result="sehat")
    first = issue(examination, PaperKind.SICK, reason=text)
    return issue(examination, PaperKind.SICK, reason=text, replaces=first, why=text)
