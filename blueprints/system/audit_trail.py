"""The audit trail, to read. The head sees whose record; the operator sees who, when and what."""

from dataclasses import dataclass

from flask import render_template, request, url_for
from sqlalchemy import select

import access
from blueprints.system.desk import LARGEST_ID, bp
from clinic import settings, system_status
from db import db
from formatting import ROLE_LABELS, clock_time, day_in_zone, short_date
from models import AuditEntry, Role, User

PAGE_SIZE = 50
ACTION_LABELS = {
    "log_in": "Masuk",
    "log_in_failed": "Gagal masuk",
    "log_out": "Keluar",
    "close_day": "Menutup hari layanan",
    "closing_step": "Langkah tutup hari",
    "repeat_closing": "Mengulang langkah tutup hari",
    "reopen_day": "Membuka lagi hari layanan",
    "end_session": "Mengakhiri sesi",
    "end_sessions": "Mengakhiri semua sesi",
    "set_clock": "Membetulkan jam Alur",
    "clock_restored": "Kembali ke jam komputer",
    "redate_day": "Membetulkan tanggal hari layanan",
    "give_up_ballast": "Membuka ruang simpanan disk",
    "start_self_check": "Memulai pemeriksaan harian",
    "support_file": "Mengunduh berkas bantuan",
    "open_with_reason": "Membuka rekam medis dengan alasan",
    "view_record": "Melihat rekam medis",
    "view_identity": "Melihat identitas pasien",
    "print_record": "Membuka riwayat untuk dicetak",
    "view_visit": "Melihat kunjungan",
    "view_vital_signs": "Melihat tanda vital",
    "create_patient": "Mendaftarkan pasien baru",
    "create_patients": "Mendaftarkan banyak pasien",
    "update_patient": "Mengubah identitas pasien",
    "merge_patients": "Menggabungkan rekam pasien",
    "undo_merge": "Mengurungkan penggabungan",
    "raise_pair": "Menandai dua rekam medis mirip",
    "decide_pair": "Memutuskan dua rekam medis mirip",
    "register_visit": "Mendaftarkan kunjungan",
    "add_room": "Menambah ruang pada kunjungan",
    "correct_visit": "Membetulkan kunjungan",
    "reassign_visit": "Memindahkan kunjungan ke pasien lain",
    "print_slips": "Mencetak slip kertas",
    "void_slip": "Membatalkan slip kertas",
    "enter_slip": "Memasukkan slip kertas",
    "drop_draft": "Membuang pendaftaran belum disimpan",
    "call": "Memanggil pasien",
    "skip": "Melewati pasien",
    "put_back": "Mengembalikan ke antrean",
    "start": "Mulai melayani",
    "finish": "Menyelesaikan antrean",
    "move": "Memindahkan ke ruang lain",
    "cancel": "Membatalkan antrean",
    "leave": "Mencatat pasien pulang",
    "refer": "Merujuk ke ruang lain",
    "result_back": "Mengembalikan dengan hasil",
    "undo": "Mengurungkan langkah antrean",
    "measure": "Mengukur tanda vital",
    "write_triage": "Mencatat triase",
    "view_immunizations": "Melihat imunisasi",
    "add_immunization": "Mencatat imunisasi",
    "end_immunization": "Mengakhiri imunisasi",
    "save_examination": "Menyimpan pemeriksaan",
    "finish_examination": "Menyelesaikan pemeriksaan",
    "drop_unsaved_text": "Membuang ketikan belum disimpan",
    "expire_unsaved_text": "Menghapus ketikan lama yang tidak disimpan",
    "add_addendum": "Menambah catatan pemeriksaan",
    "view_amendments": "Melihat riwayat pembetulan",
    "amend_examination": "Membetulkan pemeriksaan",
    "request_amendment": "Meminta pembetulan pemeriksaan",
    "withdraw_amendment": "Menarik permintaan pembetulan",
    "approve_amendment": "Menyetujui pembetulan pemeriksaan",
    "refuse_amendment": "Menolak pembetulan pemeriksaan",
    "add_allergy": "Mencatat alergi atau peringatan",
    "end_allergy": "Mengakhiri alergi atau peringatan",
    "record_consent": "Mencatat persetujuan umum",
    "issue_paper": "Menerbitkan surat",
    "cancel_paper": "Membatalkan surat",
    "print_paper": "Membuka surat untuk dicetak",
    "print_label": "Membuka label untuk dicetak",
    "order_lab": "Meminta pemeriksaan laboratorium",
    "send_prescription": "Mengirim resep",
    "cancel_prescription": "Membatalkan resep",
    "cancel_prescription_line": "Membatalkan obat di resep",
    "drop_prescription": "Mengakhiri konsep resep yang tidak jadi",
    "resume_prescription": "Meneruskan konsep resep",
    "create_medicine": "Menambah obat di daftar",
    "change_medicine": "Mengubah obat di daftar",
    "cancel_lab_order": "Membatalkan permintaan laboratorium",
    "enter_lab_results": "Mengisi hasil laboratorium",
    "finish_lab_order": "Menyelesaikan hasil laboratorium",
    "validate_lab_order": "Memvalidasi hasil laboratorium",
    "correct_lab_result": "Mengoreksi hasil laboratorium",
    "read_critical_result": "Membaca nilai kritis",
    "queue_prescription": "Memasukkan resep ke antrean farmasi",
    "review_prescription": "Menelaah resep",
    "substitute_medicine": "Mengganti obat resep",
    "dispense_prescription": "Menyerahkan obat",
    "close_prescription": "Menutup resep yang tidak diambil",
    "return_medicine": "Mencatat obat kembali",
    "print_labels": "Mencetak etiket obat",
    "print_copy": "Mencetak salinan resep",
    "receive_stock": "Menerima obat ke stok",
    "correct_stock": "Mengoreksi stok obat",
    "expire_stock": "Mengeluarkan obat kedaluwarsa",
    "lock_month": "Mengunci laporan bulan",
    "reopen_month": "Membuka kunci laporan bulan",
    "keep_day_recap": "Menyimpan rekap hari",
    "mark_pcare": "Menandai sudah diketik di P-Care",
    "unmark_pcare": "Membatalkan tanda P-Care",
    "list_visits": "Membuka daftar kunjungan di laporan",
    "export_visits": "Mengunduh daftar kunjungan di laporan",
    "upload_import": "Mengunggah daftar pasien",
    "check_import": "Memeriksa daftar pasien",
    "start_import": "Memulai impor pasien",
    "import_rows": "Mengimpor baris pasien",
    "cancel_import": "Menghentikan impor pasien",
    "undo_import": "Menarik kembali impor pasien",
    "undo_import_rows": "Menarik pasien hasil impor",
    "fill_demo": "Mengisi data latihan",
    "create_user": "Membuat akun",
    "change_user": "Mengubah akun",
    "create_poli": "Menambah ruang",
    "change_poli": "Mengubah ruang",
    "change_rule": "Mengubah aturan",
    "create_term": "Menambah kata keluhan",
    "change_term": "Mengubah kata keluhan",
    "create_village": "Menambah kelurahan",
    "change_village": "Mengubah kelurahan",
    "create_action_term": "Menambah tindakan ke daftar",
    "change_action_term": "Mengubah tindakan di daftar",
    "create_lab_test": "Menambah jenis pemeriksaan laboratorium",
    "change_lab_test": "Mengubah jenis pemeriksaan laboratorium",
    "change_lab_range": "Mengubah nilai rujukan laboratorium",
    "change_setting": "Mengubah pengaturan",
    "ask_backup": "Meminta cadangan",
    "try_backup_place": "Mencoba tempat salinan cadangan",
    "drill_backup": "Latihan pemulihan",
    "open_backup": "Membuka cadangan",
    "discard_side_copy": "Membuang salinan samping",
    "switch_database": "Mengganti basis data dengan hasil pemulihan",
    "prepare_restored": "Menyiapkan basis data hasil pemulihan",
    "make_recovery_key": "Membuat kunci pemulihan baru",
    "view_recovery_card": "Melihat kartu pemulihan",
    "confirm_recovery_card": "Mencatat kartu pemulihan sudah dicetak",
}
# Only what an opaque id stands for in words; the action says the rest.
OBJECT_LABELS = {
    "user": "akun",
    "setting": "pengaturan",
    "poli": "ruang",
    "rule": "aturan",
    "report": "laporan",
}
DETAIL_WORDS = {
    **ROLE_LABELS,
    "version": "versi",
    "corrected": "pembetulan",
    "name": "nama",
    "sex": "jenis kelamin",
    "birth_date": "tanggal lahir",
    "birth_precision": "ketelitian tanggal lahir",
    "nik": "NIK",
    "no_nik_reason": "alasan tanpa NIK",
    "mother_nik": "NIK ibu",
    "mother_name": "nama ibu",
    "kk_number": "nomor KK",
    "bpjs_number": "nomor BPJS",
    "address": "alamat",
    "village": "kelurahan",
    "phone": "nomor HP",
    "phone_owner": "pemilik HP",
    "payer": "penjamin",
    "complaint": "keluhan",
    "subjective": "anamnesis",
    "objective": "pemeriksaan",
    "assessment": "penilaian",
    "plan": "rencana",
    "therapy": "terapi",
    "disposition": "tindak lanjut",
    "refer_to": "tujuan rujukan",
    "diagnoses": "diagnosis",
    "vitals": "tanda vital",
    "patient": "pasien",
    "open": "belum pasti",
    "different": "beda orang",
    "merged": "digabung",
    "counter": "loket",
    "import": "impor",
    "scan": "pemindaian",
}


@dataclass(frozen=True)
class Line:
    """One entry as this account may read it."""

    seq: int
    day: str
    clock: str
    who: str
    device: str
    action: str
    about: str
    reason: str
    details: str
    patient_ref: str


@bp.get("/sistem/audit")
@access.allow(Role.HEAD, Role.OPERATOR)
def audit_trail():
    """Newest first, 50 a page.

    The operator gets neither patients nor what was noted about them: an entry on a record comes
    without its reason and details.
    """
    people = {user.id: user for user in db.session.scalars(select(User).order_by(User.username))}
    entries = list(db.session.scalars(_entries(people)))
    shown = entries[:PAGE_SIZE]
    return render_template(
        "system/audit_trail.html",
        lines=[_line(entry, people) for entry in shown],
        people=list(people.values()),
        actions=sorted(ACTION_LABELS.items(), key=lambda pair: pair[1].lower()),
        chosen_user=request.args.get("pengguna", ""),
        chosen_action=request.args.get("aksi", ""),
        older=_older_address(shown[-1].seq) if len(entries) > PAGE_SIZE else "",
        is_newest_page=_before() is None,
        chain=system_status.audit_trail() if _before() is None else None,
        shows_patients=access.has_role(Role.HEAD),
    )


def _before() -> int | None:
    typed = request.args.get("sebelum", "")
    if typed.isascii() and typed.isdecimal() and len(typed) < 11:
        return min(int(typed), LARGEST_ID)
    return None


def _entries(people: dict[int, User]):
    """The chosen page's entries and one more, which tells that there are older ones."""
    found = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(PAGE_SIZE + 1)
    before, action = _before(), request.args.get("aksi", "")
    ids = [one.id for one in people.values() if one.public_id == request.args.get("pengguna")]
    if before is not None:
        found = found.where(AuditEntry.seq < before)
    if ids:
        found = found.where(AuditEntry.user_id == ids[0])
    if action in ACTION_LABELS:
        found = found.where(AuditEntry.action == action)
    return found


def _older_address(seq: int) -> str:
    kept = {name: request.args[name] for name in ("pengguna", "aksi") if request.args.get(name)}
    return url_for("system.audit_trail", sebelum=seq, **kept)


def _line(entry: AuditEntry, people: dict[int, User]) -> Line:
    zone = access.page_settings()["time_zone"]
    who = people[entry.user_id].display_name if entry.user_id in people else ""
    is_hidden = bool(entry.patient_ref) and not access.has_role(Role.HEAD)
    return Line(
        seq=entry.seq,
        day=short_date(day_in_zone(entry.at, zone)),
        clock=clock_time(entry.at, zone),
        who=who or ("Sistem" if entry.device == "system" else "Belum masuk"),
        device="" if entry.device == "system" else entry.device,
        action=ACTION_LABELS.get(entry.action, entry.action.replace("_", " ")),
        about=_about(entry, people),
        reason="" if is_hidden else entry.reason,
        details="" if is_hidden else _details(entry),
        patient_ref="" if is_hidden else entry.patient_ref,
    )


def _about(entry: AuditEntry, people: dict[int, User]) -> str:
    """What was acted on, where an id can be said in words."""
    word = OBJECT_LABELS.get(entry.object_type, "")
    if entry.object_type == "user":
        found = [one for one in people.values() if one.public_id == entry.object_ref]
        return f"{word} {found[0].username}" if found else word
    if entry.object_type == "setting" and entry.object_ref in settings.DEFINITIONS:
        return settings.DEFINITIONS[entry.object_ref].label
    return f"{word} {entry.object_ref}" if word else ""


def _details(entry: AuditEntry) -> str:
    """What the program noted in its own words, in the clinic's."""
    return " ".join(DETAIL_WORDS.get(word, word) for word in entry.details.split(" "))
