"""What each kind of paper says: its parts in words, from the record and from what was typed.

A part is a heading, a text, rows of label and value, or a table. All words stand in it, so that a
paper reads the same when this module says it otherwise one day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic import sick_leave
from clinic.lab_reports import Line, Report
from clinic.paper_facts import Facts, diagnosis_words, vital_text
from clinic.record_errors import RecordError, missing, refuse
from formatting import (
    clock_time,
    day_in_zone,
    letter_date,
    long_date,
    number_text,
    number_words,
    short_date,
)
from models import PaperKind

Said = Mapping[str, Any]  # the form's fields, parsed
Part = dict[str, Any]
COLOUR_WORDS = {
    "": "Tidak diperiksa",
    "tidak": "Tidak buta warna",
    "parsial": "Buta warna parsial",
    "total": "Buta warna total",
}
HEALTH_WORDS = {"sehat": "Sehat", "tidak_sehat": "Tidak sehat"}
OPENING = "Yang bertanda tangan di bawah ini menerangkan bahwa:"
PATIENT: Part = {"patient": True}  # where the identity stands, if not at the top
REFERRED = (
    ("reason", "Tulis alasan merujuk."),
    ("diagnosis", "Tulis diagnosis, atau dugaan."),
)
CLOSING = "Demikian surat keterangan ini dibuat untuk dipergunakan sebagaimana mestinya."


@dataclass(frozen=True)
class Kind:
    """How one kind of paper is made; `check` raises RecordError for what can't be printed."""

    title: str
    size: str  # a4 or a5
    shows_record_no: bool  # not where strangers read it
    opening: str
    check: Callable[[Facts, Said], None]
    body: Callable[[Facts, Said], list[Part]]
    subject: Callable[[Said], str] = lambda said: ""


def text(words: str) -> Part:
    return {"text": words}


def rows(*pairs: tuple[str, str]) -> Part:
    """Label and value, without those that have none."""
    return {"rows": [[label, value] for label, value in pairs if value]}


# --- Sick note --------------------------------------------------------------------------------


def _sick(facts: Facts, said: Said) -> list[Part]:
    days = sick_leave.days(said)
    words = (
        f"Pada pemeriksaan tanggal {letter_date(facts.on)} dinyatakan sakit dan perlu "
        f"beristirahat selama {days} ({number_words(days)}) hari, "
    )
    first, last = letter_date(said["from_on"]), letter_date(said["until_on"])
    words += f"yaitu tanggal {first}." if days == 1 else f"dari tanggal {first} sampai {last}."
    parts = [text(words)]
    if said.get("shows_diagnosis"):
        named = "; ".join(diagnosis_words(facts.room))
        parts.append(text(f"Diagnosis (dicetak atas persetujuan pasien): {named or '-'}."))
    if said.get("purpose"):
        parts.append(text(f"Untuk keperluan: {said['purpose']}."))
    return [*parts, text(CLOSING)]


# --- Health certificate -----------------------------------------------------------------------


def _check_health(facts: Facts, said: Said) -> None:
    problems = missing(said, ("purpose", "Tulis surat ini untuk keperluan apa."))
    for name, other in (("systolic", "diastolic"), ("diastolic", "systolic")):
        if said.get(other) and not said.get(name):
            sentence = "Isi sistolik dan diastolik, atau kosongkan keduanya."
            problems.append(RecordError(sentence, name))
    if said.get("colour", "") not in COLOUR_WORDS:
        problems.append(RecordError("Pilih salah satu di daftar.", "colour"))
    if said.get("result") not in HEALTH_WORDS:
        problems.append(RecordError("Pilih hasilnya: sehat atau tidak sehat.", "result"))
    refuse(problems)


def _health(facts: Facts, said: Said) -> list[Part]:
    pressure = ""
    if said.get("systolic"):
        pressure = f"{said['systolic']}/{said['diastolic']} mmHg"
    return [
        text(f"Telah diperiksa pada tanggal {letter_date(facts.on)} dengan hasil:"),
        rows(
            ("Tinggi badan", _measure(said.get("height"), "cm")),
            ("Berat badan", _measure(said.get("weight"), "kg")),
            ("Tekanan darah", pressure),
            ("Buta warna", COLOUR_WORDS[said.get("colour", "")]),
            ("Catatan", said.get("note", "")),
            ("Dinyatakan", HEALTH_WORDS[said["result"]].upper()),
            ("Untuk keperluan", said["purpose"]),
        ),
        text(CLOSING),
    ]


def _measure(value: Any, unit: str) -> str:
    return f"{number_text(value)} {unit}" if value else ""


# --- Referrals --------------------------------------------------------------------------------


def _check_referral(facts: Facts, said: Said) -> None:
    refuse(missing(said, ("to_whom", "Tulis ke mana pasien dirujuk."), *REFERRED))


def _check_internal(facts: Facts, said: Said) -> None:
    problems = missing(said, ("to_room", "Pilih ruang tujuan."), *REFERRED)
    if said.get("to_room") == facts.room.code:
        sentence = f"Pasien sudah di {facts.room.name}. Pilih ruang lain."
        problems.insert(0, RecordError(sentence, "to_room"))
    refuse(problems)


def _referral(facts: Facts, said: Said) -> list[Part]:
    whom = [f"Poli {said['to_poli']}"] if said.get("to_poli") else []
    whom.append(said["to_whom"])
    return [
        text("Kepada Yth.\n" + "\n".join(whom)),
        text("Mohon pemeriksaan dan penanganan selanjutnya untuk:"),
        PATIENT,
        _referred(facts, said, ("Nomor BPJS", facts.visit.bpjs_number or "")),
        text("Atas kerja sama Sejawat kami ucapkan terima kasih."),
    ]


def _internal(facts: Facts, said: Said) -> list[Part]:
    return [
        text(f"Kepada Yth.\nPetugas {said['to_room_name']}"),
        text("Mohon pemeriksaan dan penanganan selanjutnya untuk:"),
        PATIENT,
        _referred(facts, said),
    ]


def _referred(facts: Facts, said: Said, *first: tuple[str, str]) -> Part:
    return rows(
        *first,
        ("Tanggal periksa", f"{letter_date(facts.on)}, {facts.room.name}"),
        ("Pemeriksaan", said.get("findings", "")),
        ("Diagnosis", said["diagnosis"]),
        ("Terapi yang sudah diberikan", said.get("therapy", "")),
        ("Alergi", ", ".join(facts.allergies) or "tidak ada yang tercatat"),
        ("Perlu diwaspadai", ", ".join(facts.alerts)),
        ("Alasan dirujuk", said["reason"]),
    )


# --- Visit summary ----------------------------------------------------------------------------


def _check_summary(facts: Facts, said: Said) -> None:
    control: date | None = said.get("control_on")
    if control and control < facts.summary.on:
        raise RecordError("Tanggal kontrol lebih awal daripada kunjungannya.", "control_on")


def _summary(facts: Facts, said: Said) -> list[Part]:
    lab = "; ".join(report.short_text for report in facts.reports if report.short_text)
    control = said.get("control_on")
    return [
        rows(
            ("Tanggal kunjungan", letter_date(facts.on)),
            ("Ruang", facts.summary.room_names),
            ("Keluhan", said.get("complaint", "")),
            ("Tanda vital", vital_text(facts.vitals)),
            ("Pemeriksaan", facts.forms()),
            ("Kehamilan", facts.pregnancy),
            ("Imunisasi", facts.vaccines),
            ("Hasil laboratorium", lab),
            ("Diagnosis", said.get("diagnosis", "")),
            ("Tindakan dan terapi", said.get("therapy", "")),
            ("Alergi", ", ".join(facts.allergies)),
            ("Saran", said.get("advice", "")),
            ("Kontrol kembali", long_date(control) if control else ""),
        ),
        text("Bawa lembar ini saat kontrol. Kembali segera bila keluhan memberat."),
    ]


# --- Laboratory -------------------------------------------------------------------------------


def _report(facts: Facts, said: Said) -> Report | None:
    return next((each for each in facts.reports if each.ref == said.get("order")), None)


def _check_lab(facts: Facts, said: Said) -> None:
    report = _report(facts, said)
    if report is None:
        raise RecordError("Hasilnya belum selesai atau belum divalidasi, jadi belum dicetak.")
    if not report.lines:
        raise RecordError("Tidak ada pemeriksaan dalam permintaan ini.")


def _lab(facts: Facts, said: Said) -> list[Part]:
    report, zone = _report(facts, said), said["zone"]
    asked = f"{letter_date(day_in_zone(report.at, zone))}, {clock_time(report.at, zone)}"
    parts = [
        rows(("Diminta oleh", f"{report.author}, {report.room}"), ("Tanggal", asked)),
        {
            "columns": ["Pemeriksaan", "Hasil", "Nilai rujukan", "Keterangan", "Dikerjakan"],
            "lines": [_lab_line(line, zone) for line in report.lines],
        },
        rows(("Catatan", said.get("note", ""))),
    ]
    if any(line.value and line.earlier for line in report.lines):
        parts.append(text("*) hasil sudah dikoreksi laboratorium; nilai semula dalam kurung."))
    return parts


def _lab_line(line: Line, zone: str) -> list[str]:
    value = line.value
    if value is None:
        return [line.name, "-", "-", f"tidak dikerjakan: {line.not_done}" * bool(line.not_done), ""]
    former = f" *) (semula {line.earlier[-1].text})" if line.earlier else ""
    done = f"{value.author}\n{short_date(day_in_zone(value.at, zone))} {clock_time(value.at, zone)}"
    done += f"\ndivalidasi {value.validated_by}" if value.validated_by else ""
    return [line.name, value.text + former, value.range or "-", value.flag_text, done]


KINDS = {
    PaperKind.SUMMARY: Kind("Ringkasan Kunjungan", "a4", True, "", _check_summary, _summary),
    PaperKind.SICK: Kind("Surat Keterangan Sakit", "a5", False, OPENING, sick_leave.check, _sick),
    PaperKind.HEALTH: Kind(
        "Surat Keterangan Sehat",
        "a5",
        False,
        OPENING,
        _check_health,
        _health,
        lambda said: said["purpose"],
    ),
    PaperKind.REFERRAL: Kind(
        "Surat Rujukan", "a4", True, "", _check_referral, _referral, lambda said: said["to_whom"]
    ),
    PaperKind.INTERNAL: Kind(
        "Surat Rujukan Internal",
        "a4",
        True,
        "",
        _check_internal,
        _internal,
        lambda said: said["to_room"],
    ),
    PaperKind.LAB: Kind(
        "Hasil Laboratorium", "a4", True, "", _check_lab, _lab, lambda said: said["order"]
    ),
}
