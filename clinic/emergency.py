"""Emergency first, identity later: what is known goes to the emergency room at once."""

from sqlalchemy import select

from clinic import audit, days, drafts, patients
from clinic.registration import RegistrationError, mark_for_exchange, open_visit, visit_of
from db import add_row, db, utcnow
from models import (
    DatePrecision,
    DraftKind,
    NoNikReason,
    Poli,
    PoliKind,
    Priority,
    RegistrationDraft,
    Visit,
)


def register_emergency(
    actor: audit.Actor, draft_key: str, name: str, sex: str, complaint: str
) -> Visit:
    """To the emergency room with what is known. `draft_key` makes a second press harmless."""
    draft = drafts.by_ref(draft_key)
    if draft is not None:
        if draft.kind != DraftKind.EMERGENCY:
            raise RegistrationError("Halaman ini sudah lama terbuka. Buka lagi, lalu isi ulang.")
        return visit_of(draft)
    poli = db.session.scalar(
        select(Poli).where(Poli.kind == PoliKind.EMERGENCY, Poli.is_active).order_by(Poli.position)
    )
    if poli is None:
        raise RegistrationError("Belum ada ruang gawat darurat yang aktif. Hubungi kepala.")
    draft = RegistrationDraft(
        public_id=draft_key,
        kind=DraftKind.EMERGENCY,
        user_id=actor.user_id,
        drafted_on=days.clinic_date(),
        fields={"name": name, "sex": sex, "complaint": complaint},
    )
    add_row(draft)
    patient = patients.create(actor, unknown_person(name, sex))
    visit = open_visit(
        actor,
        patient,
        poli,
        Visit(
            draft_id=draft.id,
            complaint=complaint or "Gawat darurat",
            priority=Priority.EMERGENCY,
            cluster="LINTAS",
            cluster_rule="Gawat darurat: lintas klaster",
            computed_cluster="LINTAS",
        ),
    )
    mark_for_exchange(visit)
    draft.saved_at, draft.visit_ref = utcnow(), visit.public_id
    db.session.flush()
    return visit


def unknown_person(name: str, sex: str) -> patients.Identity:
    """Somebody of whom little or nothing is known; completed later on the same visit."""
    stand_in = "Tn. X" if sex == "L" else "Ny. X"
    today = days.clinic_date()
    return patients.Identity(
        name=name or f"{stand_in} {today:%d-%m-%Y}",
        sex=sex,
        birth_date=None,
        birth_precision=DatePrecision.YEAR,
        no_nik_reason=NoNikReason.UNKNOWN,
        address="Belum diketahui",
        is_unknown=True,
    )
