"""The laboratory's list, kept by the head: tests, and their ranges by sex and age."""

from typing import Any

from sqlalchemy import select

from clinic import audit
from clinic.administration import AdministrationError, change_row, create_row
from db import add_row, db
from models import LabKind, LabReference, LabTest

LIMITS = ("low", "high", "critical_low", "critical_high")
KEYS = ("sex", "age_from_months", "age_below_months")


def create_test(actor: audit.Actor, values: dict[str, Any]) -> LabTest:
    """A new test of the list. Raises AdministrationError: code taken, choices that don't fit."""
    values = values | {"code": values["code"].upper()}
    if db.session.scalar(select(LabTest.id).where(LabTest.code == values["code"])):
        raise AdministrationError("Kode ini sudah dipakai.", "code")
    _check(values)
    return create_row(actor, "create_lab_test", LabTest(**values), values["code"])


def change_test(actor: audit.Actor, test: LabTest, values: dict[str, Any]) -> None:
    """Change or end a test; its code and kind stay. Raises AdministrationError."""
    wanted = {name: value for name, value in values.items() if name not in ("code", "kind")}
    _check(wanted | {"kind": test.kind})
    change_row(actor, "change_lab_test", test, wanted, test.code)


def _check(values: dict[str, Any]) -> None:
    choices, abnormal, critical = (
        set(filter(None, values[name].split("|"))) for name in ("choices", "abnormal", "critical")
    )
    if values["kind"] is LabKind.CHOICE and not choices:
        raise AdministrationError("Tulis pilihannya, satu di setiap baris.", "choices")
    if strangers := abnormal - choices:
        raise AdministrationError(f"{min(strangers)} tidak ada di pilihan hasil.", "abnormal")
    if strangers := critical - abnormal:
        raise AdministrationError(
            f"{min(strangers)} tidak ada di daftar yang tidak normal.", "critical"
        )
    low, high = values["plausible_low"], values["plausible_high"]
    if low is not None and high is not None and high <= low:
        raise AdministrationError("Batas atas harus lebih tinggi.", "plausible_high")


def save_range(
    actor: audit.Actor, test: LabTest, before: LabReference | None, values: dict[str, Any]
) -> LabReference | None:
    """Put a range in the place of another, or add one; `is_active` False only ends it.

    Results keep the range that they were judged by. Raises AdministrationError.
    """
    keeps = values.pop("is_active", True)
    _check_limits(values)
    if before is not None:
        same = all(getattr(before, name) == values[name] for name in KEYS + LIMITS)
        if same and keeps:
            return before
        before.is_active = False
        db.session.flush()
    if not keeps:
        audit.record(actor, "change_lab_range", test, details=f"{test.code}: rujukan diakhiri")
        return None
    _refuse_overlap(test, values)
    row = add_row(LabReference(test_id=test.id, **values))
    limits = ", ".join(str(values[name]) for name in LIMITS).replace("None", "kosong")
    audit.record(actor, "change_lab_range", test, details=f"{test.code}: {limits}")
    return row


def _check_limits(values: dict[str, Any]) -> None:
    low, high, critical_low, critical_high = (values[name] for name in LIMITS)
    if all(values[name] is None for name in LIMITS):
        raise AdministrationError("Isi paling sedikit satu batas.", "low")
    if low is not None and high is not None and high < low:
        raise AdministrationError("Batas atas harus lebih tinggi.", "high")
    if critical_low is not None and (
        (low is not None and critical_low >= low) or (high is not None and critical_low >= high)
    ):
        raise AdministrationError("Kritis rendah harus di bawah rujukan.", "critical_low")
    floor = next((each for each in (high, low, critical_low) if each is not None), None)
    if critical_high is not None and floor is not None and critical_high <= floor:
        raise AdministrationError("Kritis tinggi harus di atas rujukan.", "critical_high")
    below = values["age_below_months"]
    if below is not None and below <= values["age_from_months"]:
        raise AdministrationError("Batas umur atas harus lebih tinggi.", "below_years")


def _refuse_overlap(test: LabTest, values: dict[str, Any]) -> None:
    start, stop = values["age_from_months"], values["age_below_months"]
    rows = select(LabReference).where(
        LabReference.test_id == test.id,
        LabReference.sex == values["sex"],
        LabReference.is_active,
    )
    for row in db.session.scalars(rows):
        starts_before = stop is None or row.age_from_months < stop
        ends_after = row.age_below_months is None or row.age_below_months > start
        if starts_before and ends_after:
            raise AdministrationError(
                "Umur ini tumpang tindih dengan rujukan lain untuk jenis kelamin yang sama.",
                "from_years",
            )
