"""The clinic's own tables that the head keeps up: rooms, choice rules, complaint words, villages.

A row ends (`is_active`), it is never removed: old visits still name it.
"""

from typing import Any

from sqlalchemy import func, select

from clinic import audit, complaint_text, days, names
from clinic.administration import AdministrationError, change_row, create_row
from db import db
from models import ComplaintTerm, Level, Poli, PoliKind, QueueEntry, RoutingRule, Village

LEVEL_LABELS = {
    Level.ERROR: "Kemungkinan salah",
    Level.WARNING: "Perhatian",
    Level.INFO: "Keterangan",
    Level.OFF: "Tidak dipakai",
}
KIND_LABELS = {
    PoliKind.OUTPATIENT: "Ruang pelayanan",
    PoliKind.EMERGENCY: "Gawat darurat",
    PoliKind.LABORATORY: "Laboratorium",
    PoliKind.PHARMACY: "Farmasi",
}
# A room in use numbers its patients by one of these. A closed one may have a digit in its place:
# two rooms never share a letter, and so it is free for another.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZIO"
ONE_LETTER = "Isi satu huruf A sampai Z."


# --- Rooms ------------------------------------------------------------------------------------


def create_poli(actor: audit.Actor, values: dict[str, Any]) -> Poli:
    """A new room from columns of Poli. Raises AdministrationError: code or letter taken, ages."""
    _refuse_poli(values, None)
    return create_row(actor, "create_poli", Poli(**values))


def change_poli(actor: audit.Actor, poli: Poli, values: dict[str, Any]) -> None:
    """Change a room. Raises AdministrationError, also while patients are in a room that closes.

    Nor may it become one of another kind: their orders would be out of everybody's sight. The
    last emergency room stays: the counter's emergency button must lead somewhere.
    """
    _refuse_poli(values, poli)
    _refuse_last_emergency_room(poli, values)
    if poli.is_active and not values["is_active"]:
        _refuse_busy(poli, "is_active")
    elif poli.kind != values["kind"]:
        _refuse_busy(poli, "kind")
    if change_row(actor, "change_poli", poli, values):
        days.draw_anew(days.latest_day())  # other rooms' lists name it too


def _refuse_poli(values: dict[str, Any], poli: Poli | None) -> None:
    code = poli.code if poli else values["code"]
    others = list(db.session.scalars(select(Poli).where(Poli.id != (poli.id if poli else 0))))
    if any(other.code == code for other in others):
        raise AdministrationError(f"Kode {code} sudah dipakai ruang lain.", "code")
    if values.get("is_active", True) and values["prefix"] not in LETTERS:
        raise AdministrationError(ONE_LETTER, "prefix")
    owner = next((other for other in others if other.prefix == values["prefix"]), None)
    if owner:
        taken = f"Huruf {owner.prefix} sudah dipakai {owner.name}. Pilih huruf lain."
        raise AdministrationError(no_letter_left(others) or taken, "prefix")
    if any(names.fold(other.name) == names.fold(values.get("name", "")) for other in others):
        said = "Nama ini sudah dipakai ruang lain. Bedakan, misalnya “Poli Umum 2”."
        raise AdministrationError(said, "name")
    if values["redirect_code"] == code:
        raise AdministrationError("Ruang tidak dapat dialihkan ke dirinya.", "redirect_code")
    youngest, oldest = values["min_age_months"], values["max_age_months"]
    if youngest is not None and oldest is not None and oldest < youngest:
        raise AdministrationError("Umur paling tua lebih muda dari umur paling muda.", "max_years")


def free_letters(rooms: list[Poli]) -> list[str]:
    """Letters that no room has, those that are read wrongly at the end."""
    taken = {room.prefix for room in rooms}
    return [letter for letter in LETTERS if letter not in taken]


def no_letter_left(rooms: list[Poli]) -> str:
    """What to do when all letters are used up; '' when one is left."""
    if free_letters(rooms):
        return ""
    closed = next((room for room in rooms if not room.is_active and room.prefix in LETTERS), None)
    if closed is None:
        return "Semua huruf dipakai. Tutup dulu ruang yang tidak perlu lagi."
    return (
        f"Semua huruf dipakai. Ganti huruf {closed.prefix} ({closed.name}), ruang yang ditutup, "
        "dengan sebuah angka."
    )


def _refuse_last_emergency_room(poli: Poli, values: dict[str, Any]) -> None:
    stays = values["is_active"] and values["kind"] is PoliKind.EMERGENCY
    if stays or not (poli.is_active and poli.kind is PoliKind.EMERGENCY):
        return
    rooms = select(Poli.id).where(Poli.kind == PoliKind.EMERGENCY, Poli.is_active)
    # Locked: two heads who close one each at once must not both succeed.
    if list(db.session.scalars(rooms.order_by(Poli.id).with_for_update())) == [poli.id]:
        raise AdministrationError(
            "Ini satu-satunya ruang gawat darurat. Buka ruang gawat darurat lain lebih dulu, "
            "supaya loket tetap dapat mengirim pasien gawat.",
            "kind" if values["is_active"] else "is_active",
        )


def _refuse_busy(poli: Poli, field: str) -> None:
    day = days.current_day()
    here = select(func.count(QueueEntry.id)).where(
        QueueEntry.poli_id == poli.id,
        QueueEntry.service_day_id == (day.id if day else None),
        QueueEntry.state.in_(days.STILL_HERE),
    )
    count = db.session.scalar(here)
    if count:
        raise AdministrationError(
            f"Masih ada {count} pasien di ruang ini hari ini. Selesaikan atau pindahkan dulu.",
            field,
        )


# --- Choice rules -----------------------------------------------------------------------------


def change_rule(actor: audit.Actor, rule: RoutingRule, values: dict[str, Any]) -> None:
    """Change level, message or conditions of a rule (the rules for a wrong choice of room).

    Raises AdministrationError when its ages contradict each other.
    """
    _refuse_ages(values)
    # Several rules may share an id: what the audit trail calls them says no more.
    change_row(actor, "change_rule", rule, values, f"nomor {rule.position}")


def _refuse_ages(values: dict[str, Any]) -> None:
    youngest, below = values.get("age_from_months"), values.get("age_below_months")
    if youngest is not None and below is not None and below <= youngest:
        raise AdministrationError("Batas umur atas harus lebih tinggi.", "below_years")


# --- Complaint words --------------------------------------------------------------------------


def create_term(actor: audit.Actor, values: dict[str, Any]) -> ComplaintTerm:
    """A new word of the lexicon. Raises AdministrationError: the room has it already, ages."""
    term = ComplaintTerm(**_folded(values, None))
    return create_row(actor, "create_term", term, f"{term.phrase} > {term.poli_code}")


def change_term(actor: audit.Actor, term: ComplaintTerm, values: dict[str, Any]) -> None:
    """Change or end a word. Raises AdministrationError: the room has it already, ages.

    Another spelling or room ends the row and starts a new one: the lexicon that comes with the
    program is filled in by spelling and room, and would bring the old row back.
    """
    wanted = _folded(values, term)
    if (term.folded, term.poli_code) != (wanted["folded"], wanted["poli_code"]):
        details = f"{term.phrase} {term.poli_code} > {wanted['phrase']} {wanted['poli_code']}"
        term.is_active = False
        create_row(actor, "change_term", ComplaintTerm(**wanted), details)
    else:
        change_row(actor, "change_term", term, wanted, f"{term.phrase} {term.poli_code}")


def _folded(values: dict[str, Any], term: ComplaintTerm | None) -> dict[str, Any]:
    """The columns with the folded spelling that complaints are compared by."""
    _refuse_ages(values)
    folded = complaint_text.fold(values["phrase"])
    if not folded:
        raise AdministrationError("Kata harus memuat huruf atau angka.", "phrase")
    same = db.session.scalar(
        select(ComplaintTerm).where(
            ComplaintTerm.folded == folded,
            ComplaintTerm.poli_code == values["poli_code"],
            ComplaintTerm.id != (term.id if term else 0),
        )
    )
    if same:
        state = "" if same.is_active else ", tetapi tidak dipakai"
        raise AdministrationError(
            f"Ruang ini sudah punya kata yang sama: {same.phrase}{state}.", "phrase"
        )
    return values | {"folded": folded}


# --- Villages ---------------------------------------------------------------------------------


def create_village(actor: audit.Actor, values: dict[str, Any]) -> Village:
    """A new village. Raises AdministrationError when it is listed already."""
    village = Village(**_named(values, None))
    return create_row(actor, "create_village", village, village.name)


def change_village(actor: audit.Actor, village: Village, values: dict[str, Any]) -> None:
    """Change or end a village. Raises AdministrationError when the name is listed already."""
    change_row(actor, "change_village", village, _named(values, village), village.name)


def _named(values: dict[str, Any], village: Village | None) -> dict[str, Any]:
    folded = names.fold(values["name"])
    same = select(Village).where(
        Village.folded == folded, Village.id != (village.id if village else 0)
    )
    found = db.session.scalar(same)
    if found:
        raise AdministrationError(f"{found.name} sudah ada di daftar.", "name")
    return values | {"folded": folded}
