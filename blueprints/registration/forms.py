"""The registration form: fields as the contract names them, checked by `validators`."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.fields.choices import RadioField, SelectField
from wtforms.validators import ValidationError

from clinic import days, nameless, routing
from clinic.month_names import parse_date_beside_age
from clinic.nik_checks import is_far_off, nik_findings
from clinic.patients import FILLED_ALONE, Identity, estimated_age
from clinic.review import MIN_REASON, Application
from formatting import (
    BPJS_HOME_LABELS,
    CLUSTER_LABELS,
    PAYER_LABELS,
    PHONE_OWNER_LABELS,
    PRIORITY_LABELS,
    age_text,
)
from models import DatePrecision, DraftKind, Patient, Visit
from page_form import PageForm, choices
from typed_text import or_nothing, phone_and_owner
from validators import (
    NO_NIK_REASONS,
    FieldError,
    checked_by,
    clean_name,
    clean_text,
    normalise_passport,
    normalise_phone,
    parse_age,
    parse_bpjs_number,
    parse_kk_number,
    parse_mother_nik,
    parse_nik,
    parse_rt_rw,
)

MAX_COMPLAINT = 10_000
UNKNOWN = "TIDAK_DIKENAL"
NO_SUCH_ROOM = "Ruang ini tidak ada atau sedang ditutup. Pilih ruang lain."


def text(limit: int, newlines: bool = False):
    return checked_by(partial(clean_text, max_length=limit, newlines=newlines))


def may_be_empty(label: str, parse: Callable[..., Any], **options: Any) -> StringField:
    """A field without which somebody can be registered, or for which another may stand."""
    return StringField(label, [checked_by(parse, **options)], [or_nothing])


def birth_order(typed: str) -> int:
    if typed.strip() not in {"1", "2", "3", "4", "5", "6"}:
        raise FieldError("BIRTH-ORDER", "Urutan lahir diisi angka 1 sampai 6.")
    return int(typed)


def _today(form: "RegistrationForm") -> date:
    return form.today


class RegistrationForm(PageForm):
    nik = may_be_empty("NIK", parse_nik, as_printed=lambda form: bool(form.nik_as_printed.data))
    nik_as_printed = StringField("NIK memang tertulis begitu di kartunya")
    no_nik_reason = SelectField("Alasan tanpa NIK", choices=choices(NO_NIK_REASONS, "NIK diisi"))
    patient_version = StringField("Versi data")  # which the form was filled from
    no_nik_note = may_be_empty("Keterangan tanpa NIK", clean_text, max_length=100)
    mother_nik = may_be_empty("NIK ibu", parse_mother_nik)
    birth_order = may_be_empty("Bayi ke-", birth_order)
    passport_no = may_be_empty("Nomor paspor", normalise_passport)
    name = may_be_empty("Nama", clean_name, unknown=lambda form: form.no_nik_reason.data == UNKNOWN)
    sex = RadioField("Jenis kelamin", choices=choices({"L": "Laki-laki", "P": "Perempuan"}))
    birth_date = may_be_empty("Tanggal lahir", parse_date_beside_age, today=_today)
    birth_date_estimated = may_be_empty("Umur kira-kira", parse_age, today=_today)
    mother_name = may_be_empty("Nama ibu", clean_name)
    bpjs_number = may_be_empty("Nomor BPJS", parse_bpjs_number)
    kk_number = may_be_empty("Nomor KK", parse_kk_number)
    address = StringField("Alamat", [text(200)])
    village = may_be_empty("Kelurahan/desa", clean_text, max_length=60)
    rt = may_be_empty("RT", parse_rt_rw)
    rw = may_be_empty("RW", parse_rt_rw)
    phone = may_be_empty("Nomor HP", normalise_phone)
    phone_owner = SelectField("Milik", choices=choices(PHONE_OWNER_LABELS, "Tidak disebut"))
    payer = SelectField("Pembiayaan", choices=choices(PAYER_LABELS), default="UMUM")
    bpjs_home = SelectField("Terdaftar di", choices=choices(BPJS_HOME_LABELS, "Belum ditanya"))
    complaint = StringField("Keluhan", [text(MAX_COMPLAINT, newlines=True)])
    poli = SelectField("Ruang", validate_choice=False)
    pregnant = SelectField(
        "Hamil",
        choices=choices(
            {"ya": "Ya, hamil", "tidak": "Tidak", "nifas": "Nifas"}, "Tidak ditanyakan"
        ),
    )
    priority = SelectField("Prioritas", choices=choices(PRIORITY_LABELS, "Menurut aturan"))
    visit_type = SelectField(
        "Jenis kunjungan", choices=choices({"SAKIT": "Sakit", "SEHAT": "Sehat"}), default="SAKIT"
    )
    cluster = SelectField(
        "Klaster",
        choices=choices({k: v for k, v in CLUSTER_LABELS.items() if k != "1"}, "Dihitung sendiri"),
    )

    def __init__(
        self,
        data: MultiDict | None = None,
        kind: DraftKind = DraftKind.NEW,
        on: date | None = None,
        **more,
    ):
        self.kind, self.on = kind, on  # the day on a paper slip, else today
        self.today = on or days.clinic_date()
        super().__init__(_with_defaults(data) if data is not None else None, **more)
        self.rooms = {
            room.code: room.name for room in routing.load().polis.values() if room.is_active
        }
        self.poli.choices = choices(self.rooms, "Pilih ruang")

    def typed(self) -> dict[str, str]:
        """What a draft keeps: every field as it was typed."""
        return {field.name: field.data or "" for field in self if field.data}

    def validate(self, extra_validators=None) -> bool:
        super().validate(extra_validators)
        for check in self._checks():
            check()
        return not self.errors

    def _checks(self):
        if self.kind == DraftKind.ROOM:
            return [self._visit]
        identity = [self._nik, self._who, self._born, self._where]
        return identity if self.kind == DraftKind.IDENTITY else [*identity, self._visit]

    def _refuse(self, field, sentence: str) -> None:
        if not field.errors:
            field.errors = [*field.errors, ValidationError(sentence).args[0]]

    def _nik(self) -> None:
        if not self.nik.data and not self.no_nik_reason.data:
            self._refuse(
                self.nik, "Isi NIK 16 angka, atau pilih alasan tanpa NIK di isian berikutnya."
            )
        if self.nik.data:
            self._nik_of_others()

    def _nik_of_others(self) -> None:
        nik = getattr(self.nik, "cleaned", None)
        if not nik:
            return
        found = nik_findings(
            nik,
            sex=self.sex.data or "L",
            birth_date=None,
            today=self.today,
            kk_number=getattr(self.kk_number, "cleaned", None),
            mother_nik=getattr(self.mother_nik, "cleaned", None),
            as_printed=True,
        )
        for finding in found:
            if finding.level == "error":
                self._refuse(self.nik, finding.message)

    def _who(self) -> None:
        is_unknown = self.no_nik_reason.data == UNKNOWN and not self.nik.data
        if not (self.name.data or "").strip() and not is_unknown:
            self._refuse(self.name, "Isi nama pasien seperti di kartunya.")
        if self.sex.data not in ("L", "P"):
            self.sex.errors = ["Pilih jenis kelamin."]

    def _born(self) -> None:
        is_unknown = self.no_nik_reason.data == UNKNOWN and not self.nik.data
        if not self.birth_date.data and not self.birth_date_estimated.data and not is_unknown:
            self._refuse(
                self.birth_date, "Isi tanggal lahir, misalnya 17-08-1990, atau umur kira-kira."
            )
        exact, told = self.cleaned("birth_date"), self.cleaned("birth_date_estimated")
        if exact and told and is_far_off(told.birth_date, exact, self.today):
            age = age_text(exact, self.today)
            sentence = f"Menurut tanggal lahir umurnya {age}. Betulkan, atau kosongkan umur."
            self._refuse(self.birth_date_estimated, sentence)

    def _where(self) -> None:
        if not (self.address.data or "").strip() and self.no_nik_reason.data != UNKNOWN:
            self._refuse(self.address, "Isi alamat. Bila tidak punya, tulis tempat ia tinggal.")

    def _visit(self) -> None:
        if not (self.complaint.data or "").strip():
            self._refuse(self.complaint, "Isi keluhan, beberapa kata saja.")
        if not self.poli.data:
            self._refuse(self.poli, "Pilih ruang tujuan.")
        elif self.poli.data not in self.rooms:
            self._refuse(self.poli, NO_SUCH_ROOM)

    def cleaned(self, name: str):
        return getattr(self[name], "cleaned", None)

    def _birth(self, patient: Patient | None) -> tuple[date | None, DatePrecision]:
        exact, estimated = self.cleaned("birth_date"), self.cleaned("birth_date_estimated")
        if exact or estimated is None:
            return exact, DatePrecision.DAY if exact else DatePrecision.YEAR
        # An age that was only read back must not give a new birth date every year.
        if patient and self.birth_date_estimated.data == estimated_age(patient, self.today):
            return patient.birth_date, patient.birth_precision
        return estimated.birth_date, DatePrecision(estimated.precision)

    def identity(self, patient: Patient | None = None) -> Identity:
        """The person, from valid fields; `patient` is the record that the form was filled from."""
        born, precision = self._birth(patient)
        nik = self.cleaned("nik")
        reason = None if nik else (self.no_nik_reason.data or None)
        is_unknown = reason == UNKNOWN
        name = self.cleaned("name") or ""
        if not name and is_unknown:
            name = nameless.next_name(self.sex.data, self.today, patient)
        same = {field: self.cleaned(field) for field in FILLED_ALONE}
        return Identity(
            name=name,
            sex=self.sex.data,
            birth_date=born,
            birth_precision=precision,
            nik=nik,
            is_nik_as_printed=bool(nik and self.nik_as_printed.data),
            no_nik_reason=reason,
            **same | {"address": same["address"] or "Belum diketahui"},
            phone_owner=self.phone_owner.data or phone_and_owner(self.phone.data or "")[1] or None,
            payer=self.payer.data,
            is_unknown=is_unknown,
        )

    def application(
        self,
        kind: DraftKind,
        identity: Identity,
        patient: Patient | None = None,
        about_visit: Visit | None = None,
    ) -> Application:
        """What the check page reviews and the save stores, from valid fields."""
        return Application(
            identity=identity,
            complaint=self.cleaned("complaint") or "",
            poli_code=self.poli.data or "",
            visit_type=self.visit_type.data or "SAKIT",
            bpjs_home=self.bpjs_home.data or "",
            pregnant=self.pregnant.data or "",
            priority=self.priority.data or "",
            cluster=self.cluster.data or "",
            kind=kind,
            typed_phone=self.phone.data or "",
            patient=patient,
            based_on=patient.version if patient else 0,
            about_visit=about_visit,
            on=self.on,
        )


class IdentityCorrectionForm(RegistrationForm):
    """The identity alone, and why it is corrected."""

    alasan = StringField("Alasan perbaikan", [text(200)])

    def _checks(self):
        return [*super()._checks(), self._why]

    def _why(self) -> None:
        if len((self.alasan.data or "").strip()) < MIN_REASON:
            self._refuse(self.alasan, "Tulis alasan perbaikan, misalnya: sesuai KTP yang dibawa.")


def _with_defaults(data: MultiDict) -> MultiDict:
    """A key pressed beside a proposal sends `poli` twice: the last that says something counts."""
    copy = MultiDict(data)
    said = [code for code in data.getlist("poli") if code]
    copy.setlist("poli", said[-1:])
    for name, default in (("payer", "UMUM"), ("visit_type", "SAKIT")):
        if not copy.get(name):
            copy[name] = default
    if not copy["payer"].startswith("JKN"):
        copy["bpjs_home"] = ""
    for name in ("no_nik_reason", "phone_owner", "pregnant", "priority", "cluster", "bpjs_home"):
        copy.setdefault(name, "")
    return copy
