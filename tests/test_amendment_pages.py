"""The pages of corrections: the form, the mark and the history, the records desk's worklist."""

import gzip
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import insert, select

from db import db, transaction, utcnow
from models import Amendment, AmendmentLine, Examination, ServiceDay
from tests import factories
from tests.amending import again, amend, finished, measured, nurse
from tests.databases import count_queries
from tests.pages import login, post, words_of
from tests.test_hostile_text import BREAKING_OUT

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def form_of(examination) -> str:
    return f"/pemeriksaan/{examination.public_id}/pembetulan"


def history_of(examination) -> str:
    return f"/pemeriksaan/{examination.public_id}/riwayat"


def visit_of(examination) -> str:
    return f"/kunjungan/{examination.visit.public_id}"


def decision_on(amendment, step="") -> str:
    return f"/rekam-medis/pembetulan/{amendment.public_id}" + (step and f"/{step}")


def text_of(response) -> str:
    return unescape(re.sub(r"\s+", " ", response.get_data(as_text=True)))


def typed(examination, **changed) -> dict:
    """What the form sends when only these fields were changed."""
    row = measured(examination)[0]
    fields = {
        "aksi": "simpan",
        "version": str(examination.version),
        "patient": examination.visit.patient.public_id,
        "diagnosis": ["J06.9", "A09"],
        "case_type-1": "baru",
        "case_type-2": "baru",
        "diagnosis_primary": "J06.9",
        "diagnosis_search": "",
        "disposition": "pulang",
        "refer_external": "",
        "vitals_1": row.public_id,
        "systolic_1": "210",
        "diastolic_1": "80",
        "weight_1": "54,2",
        **dict.fromkeys(("pulse_1", "respiration_1", "temperature_1"), ""),
        **dict.fromkeys(("height_1", "saturation_1"), ""),
        "reason": "salah ketik",
    }
    fields |= {name: getattr(examination, name) for name in ("subjective", "objective")}
    fields |= {name: getattr(examination, name) for name in ("assessment", "plan", "therapy")}
    return fields | changed


def send(client, examination, **changed):
    return post(client, form_of(examination), typed(again(examination.public_id), **changed))


def stored() -> list[Amendment]:
    db.session.rollback()
    return list(db.session.scalars(select(Amendment).order_by(Amendment.id)))


# --- Who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "form", "history"),
    [("umum", 200, 200), ("kepala", 200, 200), ("rekammedis", 403, 200)]
    + [("gigi", 404, 404), ("loket", 403, 403), ("ti", 403, 403)],
)
def test_who_may_correct_and_who_may_read(sign_in, username, form, history):
    examination, client = finished(), sign_in(username)
    assert client.get(form_of(examination)).status_code == form
    assert client.get(history_of(examination)).status_code == history
    response = send(client, examination, plan="lain")
    assert response.status_code == (303 if form == 200 else form)
    assert len(stored()) == (form == 200)


def test_an_unfinished_or_unknown_examination_has_no_form(umum):
    examination = finished()
    with transaction():
        db.session.get(Examination, examination.id).finished_at = None
    assert umum.get(form_of(examination)).status_code == 404
    assert umum.get("/pemeriksaan/tidak-ada/pembetulan").status_code == 404
    assert umum.get("/pemeriksaan/tidak-ada/riwayat").status_code == 404


def test_access_that_ended_meanwhile_gives_everything_typed_back(umum):
    examination = finished()
    umum.get(form_of(examination))
    with transaction():
        day = db.session.get(ServiceDay, examination.visit.service_day_id)
        day.on = utcnow().date() - timedelta(days=9)
    response = send(umum, examination, plan="rencana baru", reason="hasil menyusul")
    assert response.status_code == 409 and stored() == []
    for word in ("rencana baru", "hasil menyusul", "J06.9", "210"):
        assert word in text_of(response)
    assert umum.get(form_of(examination)).status_code == 303


# --- The form ---------------------------------------------------------------------------------


def test_the_author_corrects_and_the_record_shows_it_with_its_history(umum):
    examination = finished()
    page = umum.get(visit_of(examination))
    assert form_of(examination) in text_of(page) and "dibetulkan" not in text_of(page)
    page = text_of(umum.get(form_of(examination)))
    assert "Langsung berlaku sampai" in page and "Simpan pembetulan" in page
    for value in ('value="210"', 'value="54,2"', "faring merah", 'value="pulang" checked'):
        assert value in page
    response = send(umum, examination, plan="kontrol 3 hari", systolic_1="120")
    assert response.status_code == 303
    send(umum, examination, therapy="ibuprofen", vitals_1=measured(again(examination.public_id))[0]
         .public_id, systolic_1="120")  # fmt: skip
    for url in (visit_of(examination), f"/pasien/{examination.visit.patient.public_id}"):
        page = umum.get(url)
        assert "dibetulkan 2x" in words_of(page) and history_of(examination) in text_of(page)
        assert "kontrol 3 hari" in text_of(page) and "istirahat" not in words_of(page)
        assert "TD 120/80" in words_of(page)
    history = words_of(umum.get(history_of(examination)))
    for word in ("parasetamol", "ibuprofen", "istirahat", "kontrol 3 hari", "salah ketik"):
        assert word in history
    assert "Tekanan sistolik 210 mmHg" in history and "dr. Bagus Prasetyo" in history
    assert history.index("ibuprofen") < history.index("kontrol 3 hari")


def test_nothing_changed_and_no_reason_are_said_with_everything_kept(umum):
    examination = finished()
    same = send(umum, examination)
    assert same.status_code == 422 and "Belum ada yang diubah" in text_of(same)
    silent = send(umum, examination, plan="rencana baru", reason=" ")
    page = text_of(silent)
    assert silent.status_code == 422 and 'href="#f-reason"' in page and "rencana baru" in page
    wrong = send(umum, examination, plan="rencana baru", systolic_1="999", pulse_1="77")
    page = text_of(wrong)
    assert wrong.status_code == 422 and 'href="#f-systolic_1"' in page
    for word in ("rencana baru", 'value="999"', 'value="77"', "salah ketik"):
        assert word in page
    long = send(umum, examination, plan="lain", reason="x" * 301)
    assert long.status_code == 422 and 'href="#f-reason"' in text_of(long)
    assert stored() == []


def test_a_forged_move_is_refused(umum):
    examination = finished()
    fields = {"disposition": "rujuk_internal", "refer_to": "GIGI"}
    response = send(umum, examination, **fields)
    assert response.status_code == 422 and "memindahkan pasien" in text_of(response)
    moved = finished(disposition="rujuk_internal", refer_to="LAB")
    page = text_of(umum.get(form_of(moved)))
    assert "pasiennya sudah dipindahkan" in page and 'name="disposition"' not in page


def test_the_form_of_another_patient_is_refused_and_kept(umum):
    examination, other = finished(), finished()
    ref = other.visit.patient.public_id
    response = send(umum, examination, plan="rencana baru", patient=ref)
    assert response.status_code == 409 and "rencana baru" in text_of(response)
    assert "Cocokkan nama dan tanggal lahir" in text_of(response) and stored() == []


def test_a_form_of_another_patient_that_names_no_measurement_is_refused_too(umum):
    """No page of ours sends one."""
    examination, other = finished(), finished().visit.patient.public_id
    bare = {"patient": other, "plan": "rencana baru"}
    response = post(umum, form_of(examination), bare)
    assert response.status_code == 409 and "rencana baru" in text_of(response)
    assert stored() == []


def test_a_diagnosis_is_searched_without_script_and_corrected(umum):
    examination = finished()
    fields = {"plan": "rencana baru", "diagnosis_search": "gastritis"}
    found = send(umum, examination, aksi="cari", **fields)
    assert found.status_code == 200 and "rencana baru" in text_of(found)
    assert re.search(r'type="checkbox" name="diagnosis" value="K29', text_of(found))
    unticked = send(umum, examination, **fields)
    assert unticked.status_code == 422 and "centang diagnosis" in text_of(unticked)
    assert stored() == []
    ticked = ["J06.9", "A09", "K29.7"]
    changed = {"diagnosis": ticked, "case_type-2": "hapus", "diagnosis_search": "gastritis"}
    assert send(umum, examination, **changed).status_code == 303
    history = words_of(umum.get(history_of(examination)))
    assert "A09" in history and "K29.7" in history and "(baru, utama)" in history


def test_the_second_of_two_is_shown_the_firsts_text_beside_their_own(umum, sign_in):
    examination = finished()
    fields = typed(examination, plan="rencana pertama", systolic_1="120")
    other = typed(examination, plan="rencana kedua", pulse_1="88", diagnosis=["A09"])
    head = sign_in("kepala")
    assert post(umum, form_of(examination), fields).status_code == 303
    response = post(head, form_of(examination), other)
    page = text_of(response)
    assert response.status_code == 409 and len(stored()) == 1
    for word in ("rencana pertama", "rencana kedua", 'value="88"', 'name="systolic_1" value="120"'):
        assert word in page, word
    assert "dr. Bagus Prasetyo" in page
    row = measured(again(examination.public_id))[0].public_id
    version = str(again(examination.public_id).version)
    assert f'name="vitals_1" value="{row}"' in page and f'name="version" value="{version}"' in page
    merged = other | {"version": version, "vitals_1": row, "plan": "pertama dan kedua"}
    merged["systolic_1"] = "120"
    assert post(head, form_of(examination), merged).status_code == 303
    assert [each.state for each in stored()] == ["applied", "waiting"]


def test_vital_signs_measured_meanwhile_are_not_wiped_by_a_conflict(umum):
    examination = finished()
    sent = typed(examination, plan="rencana kedua")
    amend(examination, plan="rencana pertama")
    from_desk = measured(again(examination.public_id))[0]
    with transaction():
        db.session.add(
            type(from_desk)(
                visit_id=examination.visit_id,
                pulse=91,
                recorded_by_id=factories.user("kia").id,
                occurred_at=utcnow(),
            )
        )
    page = text_of(post(umum, form_of(examination), sent))
    assert 'name="pulse_2" value="91"' in page and 'name="systolic_1" value="210"' in page


# --- Requests ---------------------------------------------------------------------------------


def test_a_late_correction_waits_is_approved_and_told(umum, sign_in):
    examination = finished(72)
    page = text_of(umum.get(form_of(examination)))
    assert "Perlu persetujuan" in page and "Minta persetujuan" in page
    response = send(umum, examination, plan="kontrol 3 hari")
    assert "menunggu persetujuan" in text_of(umum.get(response.location))
    assert again(examination.public_id).plan == "istirahat"
    (request,) = stored()
    records = sign_in("rekammedis")
    desk = text_of(records.get("/rekam-medis/pembetulan"))
    assert "Siti Aminah" in desk and "Rencana" in desk and decision_on(request) in desk
    page = words_of(records.get(decision_on(request)))
    assert "istirahat" in page and "kontrol 3 hari" in page and "salah ketik" in page
    fields = {"alasan": "sesuai kertas"}
    assert post(records, decision_on(request, "setujui"), fields).status_code == 303
    assert again(examination.public_id).plan == "kontrol 3 hari"
    page = words_of(umum.get(visit_of(examination)))
    assert "disetujui oleh Sari Puspita" in page and "sesuai kertas" in page
    assert "dibetulkan 1x" in page
    assert "Tidak ada pembetulan" in text_of(records.get("/rekam-medis/pembetulan"))
    late = post(sign_in("kepala"), decision_on(request, "tolak"), {"alasan": "tidak"})
    assert late.status_code == 409 and "sudah diputuskan" in text_of(late)


def test_a_refusal_needs_a_reason_and_is_shown_to_who_asked(umum, sign_in):
    examination = finished(72)
    send(umum, examination, plan="kontrol 3 hari")
    (request,) = stored()
    head = sign_in("kepala")
    silent = post(head, decision_on(request, "tolak"), {"alasan": ""})
    assert silent.status_code == 422 and "Tulis alasan" in text_of(silent)
    assert (
        post(head, decision_on(request, "tolak"), {"alasan": "tidak ada bukti"}).status_code == 303
    )
    page = words_of(umum.get(visit_of(examination)))
    assert "ditolak oleh dr. Indah Lestari" in page and "tidak ada bukti" in page
    assert "dibetulkan" not in page
    assert "tidak ada bukti" in text_of(umum.get(history_of(examination)))
    assert "ditolak oleh" not in words_of(head.get(visit_of(examination)))


def test_the_head_does_not_approve_the_heads_own_request(sign_in):
    examination, head = finished(72), sign_in("kepala")
    send(head, examination, plan="kontrol 3 hari")
    (request,) = stored()
    page = text_of(head.get(decision_on(request)))
    assert "permintaan Anda sendiri" in page and "setujui" not in page
    refused = post(head, decision_on(request, "setujui"))
    assert refused.status_code == 422 and again(examination.public_id).plan == "istirahat"
    assert post(sign_in("rekammedis"), decision_on(request, "setujui")).status_code == 303
    assert again(examination.public_id).plan == "kontrol 3 hari"


def test_an_outdated_request_is_shown_beside_the_newer_text(umum, sign_in):
    examination = finished(72)
    send(umum, examination, plan="kontrol 3 hari")
    send(sign_in("kepala"), examination, plan="rujuk ke RSUD")
    first, second = stored()
    records = sign_in("rekammedis")
    assert post(records, decision_on(second, "setujui")).status_code == 303
    page = records.get(decision_on(first))
    for word in ("istirahat", "kontrol 3 hari", "rujuk ke RSUD", "sudah diubah sejak diminta"):
        assert word in words_of(page)
    assert "/setujui" not in text_of(page)
    blind = post(records, decision_on(first, "setujui"))
    assert blind.status_code == 409 and again(examination.public_id).plan == "rujuk ke RSUD"
    again_page = text_of(umum.get(form_of(examination)))
    assert "masih menunggu" in again_page
    assert "kontrol 3 hari" in again_page and "rujuk ke RSUD" in again_page
    assert send(umum, examination, plan="kontrol, lalu RSUD").status_code == 303
    assert [each.state for each in stored()] == ["refused", "applied", "waiting"]


def test_a_colleagues_waiting_request_is_told_in_the_form_and_decided_from_the_history(
    umum, sign_in
):
    examination, head = finished(hours=72), sign_in("kepala")
    send(umum, examination, plan="rencana umum", reason="hasil menyusul")
    (request,) = stored()
    assert "dr. Bagus Prasetyo juga meminta pembetulan" in words_of(head.get(form_of(examination)))
    assert "juga meminta" not in words_of(umum.get(form_of(examination)))
    link = f'href="{decision_on(request)}"'
    assert link in text_of(head.get(history_of(examination)))
    assert link not in text_of(umum.get(history_of(examination)))


@pytest.mark.parametrize(("username", "status"), [("umum", 403), ("loket", 403), ("ti", 403)])
def test_who_may_not_decide(app, sign_in, username, status):
    request = amend(finished(72), by=nurse(), plan="lain")
    client = sign_in(username)
    assert client.get("/rekam-medis/pembetulan").status_code == status
    assert client.get(decision_on(request)).status_code == status
    assert post(client, decision_on(request, "setujui")).status_code == status
    assert stored()[0].state == "waiting"


def test_a_colleague_of_the_room_asks_by_the_same_form(app, umum):
    examination = finished()
    other = login(app.test_client(), nurse())
    assert "Anda bukan penulis" in text_of(other.get(form_of(examination)))
    assert send(other, examination, plan="lain").status_code == 303
    page = words_of(umum.get(visit_of(examination)))
    assert "Pembetulan menunggu persetujuan" in page and "Perawat" in page


# --- Hostile text, size, queries --------------------------------------------------------------


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_is_shown_as_it_was_typed(umum, sign_in, text):
    examination = finished(72)
    shown = " ".join(text.replace("\u202e", "").split())
    texts = dict.fromkeys(("subjective", "objective", "assessment", "plan", "therapy"), text)
    end = {"disposition": "rujuk_eksternal", "refer_external": text}
    lines = {"diagnosis": ["J06.9", "A09", text]}
    response = send(umum, examination, reason=text, **texts, **end, **lines)
    assert response.status_code == 303, text_of(response)
    (request,) = stored()
    records = sign_in("rekammedis")
    refused = post(umum, form_of(examination), {"reason": text, "systolic_1": text, "vitals_1": ""})
    assert refused.status_code == 422 and text in unescape(refused.get_data(as_text=True))
    pages = [records.get("/rekam-medis/pembetulan"), records.get(decision_on(request))]
    pages += [umum.get(visit_of(examination)), umum.get(form_of(examination))]
    assert post(records, decision_on(request, "setujui"), {"alasan": text}).status_code == 303
    pages += [umum.get(url) for url in (visit_of(examination), history_of(examination))]
    pages.append(umum.get(f"/pasien/{examination.visit.patient.public_id}"))
    for page in pages:
        html = page.get_data(as_text=True)
        assert page.status_code == 200
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in html, (page.request.path, piece)
        assert shown in text_of(page)


def add_amendments(examination, count: int) -> None:
    """Many corrections, straight into the tables."""
    user_id = factories.user("umum").id
    with transaction():
        for number in range(count):
            fields = {
                "public_id": f"{examination.id:08}-{number:04}",
                "examination_id": examination.id,
                "state": "applied",
                "reason": f"alasan {number}",
                "requested_at": utcnow(),
                "requested_by_id": user_id,
                "decision_reason": "",
                "base_version": number,
                "applied_version": number + 1,
            }
            (key,) = db.session.execute(insert(Amendment).values(fields)).inserted_primary_key
            db.session.add(
                AmendmentLine(
                    amendment_id=key, field="plan", old_value=f"a{number}", new_value=f"b{number}"
                )
            )


def test_queries_and_bytes_do_not_grow_with_the_amendments(umum):
    counts = {}
    for size in (1, 60):
        examination = finished()
        add_amendments(examination, size)
        patient = f"/pasien/{examination.visit.patient.public_id}"
        for url in (visit_of(examination), patient, history_of(examination)):
            umum.get(url)
            with count_queries() as statements:
                page = umum.get(url)
            kind = url.split("/")[-1][:7] if url.endswith("riwayat") else url.split("/")[1]
            counts.setdefault(kind, []).append(len(statements))
            assert len(gzip.compress(page.data, 6)) <= 6 * 1024, url
    assert counts and all(few == many for few, many in counts.values()), counts


def test_the_worklist_takes_the_same_queries_for_1_and_30_requests(sign_in):
    records, counts = sign_in("rekammedis"), []
    for size in (1, 29):
        for _ in range(size):
            amend(finished(72), plan="lain")
        records.get("/rekam-medis/pembetulan")
        with count_queries() as statements:
            page = records.get("/rekam-medis/pembetulan")
        counts.append(len(statements))
        assert len(gzip.compress(page.data, 6)) <= 6 * 1024
    assert counts[0] == counts[1]


def test_the_form_and_the_decision_are_small(umum, sign_in):
    examination = finished(72)
    send(umum, examination, plan="kontrol 3 hari " * 20, therapy="ibuprofen " * 20)
    (request,) = stored()
    pages = [umum.get(form_of(examination)), sign_in("kepala").get(decision_on(request))]
    assert all(len(gzip.compress(page.data, 6)) <= 6 * 1024 for page in pages)
