"""The prescription in the pages: search, lines, warnings, what is sent, cancelled, written anew."""

import gzip
import html
import re

import pytest
from sqlalchemy import select

from clinic import allergies, history, prescriptions, queues
from clinic.prescription_lines import LineInput
from db import db, transaction
from models import Examination, Prescription, PrescriptionState, QueueEntry
from tests import factories
from tests.databases import count_queries
from tests.pages import post, text_of, words_of
from tests.test_hostile_text import BREAKING_OUT
from tests.test_prescriptions import (
    PCT,
    allergic,
    at_pharmacy,
    cancel,
    finish,
    lines_of,
    of,
    served,
)
from validators import clean_text

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


def address(entry, tail="") -> str:
    return f"/kunjungan/{entry.visit.public_id}{tail}"


def line(key="b1", what="PCT500", sig="3x1", days="5", **more) -> dict[str, str]:
    boxes = {"sig": sig, "days": days, "quantity": "", "note": ""} | more
    return {"rx": f"{key} {what}"} | {f"rx_{name}-{key}": text for name, text in boxes.items()}


def both(*lines) -> dict:
    fields = {}
    for each in lines:
        fields |= each
    return fields | {"rx": [each["rx"] for each in lines]}


def send(client, entry, aksi="simpan", version=0, **fields):
    data = {"aksi": aksi, "entry": entry.public_id, "version": str(version), "rx_sent": "1"}
    data |= {"assessment": "demam", "disposition": "pulang"}
    return post(client, address(entry), data | fields)


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def links(answer) -> dict[str, str]:
    """What the summary of errors says, by the field that each sentence leads to."""
    return dict(re.findall('<li><a href="#(f-[^"]+)">([^<]+)</a>', text_of(answer)))


# --- Finding and adding -----------------------------------------------------------------------


def test_without_scripts_a_search_offers_and_a_tick_adds_a_line(umum):
    entry = served()
    page = text_of(send(umum, entry, "cari_obat", medicine_search="para", subjective="panas"))
    assert 'name="obat" value="PCT500"' in page
    assert "panas" in page
    assert of(entry) is None  # looking stores nothing
    page = text_of(send(umum, entry, "cari_obat", obat=["PCT500"]))
    assert 'name="rx" value="b1 PCT500"' in page
    assert send(umum, entry, obat=["PCT500"]).status_code == 303
    assert [row.title for row in lines_of(entry)] == ["Parasetamol 500 mg tablet"]


def test_the_fragments_for_scripts(umum, sign_in):
    entry = served(person=allergic("Parasetamol"))
    page = text_of(umum.get(address(entry, "/obat?medicine_search=amox")))
    assert 'value="AMOX500"' in page
    assert "/obat/baris" in page
    assert 'value="sesudah makan"' not in page
    page = text_of(umum.get(address(entry, "/obat/baris?obat=PCT500")))
    assert 'value="sesudah makan"' in page, "proposals for its note come with the first line"
    assert "autofocus" in page
    assert 'data-rule="ALERGI"' in page  # seen as soon as it is chosen
    assert "Gabapentin" in text_of(umum.get(address(entry, "/obat/baris?obat_luar=Gabapentin")))
    assert umum.get(address(entry, "/obat/baris?obat=TIDAKADA")).status_code == 404
    for username, status in (("gigi", 404), ("loket", 403)):
        assert sign_in(username).get(address(entry, "/obat?q=para")).status_code == status


def test_what_a_doctor_writes_in_one_line_finds_the_medicine_and_fills_its_boxes(umum):
    entry, written = served(), "pct 500 3dd1 no XV"
    page = text_of(send(umum, entry, "cari_obat", medicine_search=written))
    assert page.index('value="PCT500"') < page.index("sebagai resep luar")
    assert f'name="obat_ditulis" value="{written}"' in page
    # a further search takes nothing from what the first one found
    ticked = {"obat": ["PCT500"], "obat_ditulis": written}
    page = text_of(send(umum, entry, "cari_obat", medicine_search="ctm 2x1", **ticked))
    assert 'name="rx_sig-b1" value="3dd1"' in page
    assert 'name="rx_quantity-b1" value="15"' in page
    assert 'name="medicine_search" value="ctm 2x1"' in page
    assert send(umum, entry, medicine_search=written, **ticked).status_code == 303
    assert [(row.instruction, row.quantity) for row in lines_of(entry)] == [
        ("3 x sehari 1 tablet", 15)
    ]


def test_the_fragments_carry_written_directions_on(umum):
    entry = served()
    page = text_of(umum.get(address(entry, "/obat?medicine_search=pct 500 3x1")))
    assert 'value="PCT500"' in page
    assert 'hx-include="#obat-ditulis"' in page
    page = text_of(umum.get(address(entry, "/obat/baris?obat=PCT500&obat_ditulis=pct 500 3x1")))
    assert re.search('name="rx_sig-[^"]+" value="3x1"', page)
    page = text_of(umum.get(address(entry, "/obat/baris?obat_luar=gabapentin 300 1x1 no X")))
    for box, text in (("title", "gabapentin 300"), ("sig", "1x1"), ("quantity", "10")):
        assert re.search(f'name="rx_{box}-[^"]+" value="{text}"', page)
    assert "obat-ditulis" not in text_of(umum.get(address(entry, "/obat?medicine_search=amox")))


def test_words_of_which_nothing_was_ticked_are_not_lost(umum):
    entry = served()
    answer = send(umum, entry, "selesai", medicine_search="parasetamol")
    assert answer.status_code == 422
    assert "centang obat yang dimaksud" in words_of(answer)
    assert 'value="parasetamol"' in text_of(answer)
    assert of(entry) is None


def test_words_that_led_to_what_was_ticked_do_not_ask_again(umum):
    """Looked for, ticked, refused for a missing dose: then the next press is not refused too."""
    entry = served()
    words = {"medicine_search": "para", "diagnosis_search": "demam", "procedure_search": "nebul"}
    ticked = {"obat": ["PCT500"], "diagnosis": ["R50.9"], "procedure": ["NEBUL"]}
    answer = send(umum, entry, "selesai", **words, **ticked)
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Isi aturan pakai" in page
    for name in words:
        assert re.search(f'name="{name}" value=""', page), name
    assert 'name="rx" value="b1 PCT500"' in page


BOTH = {"medicine_search": "pct", "diagnosis_search": "demam"}


@pytest.mark.parametrize(
    ("aksi", "more", "focused"),
    [
        ("cari_obat", {}, "medicine_search"),
        ("cari", {}, "diagnosis_search"),
        ("cari", {"procedure_search": "nebul"}, "procedure_search"),
        ("racikan", {}, ""),
        # Enter: the box with the words that the page did not show yet
        ("lanjut", {}, "medicine_search"),
        ("lanjut", {"cari_tadi": ["demam"]}, "medicine_search"),
        ("lanjut", {"cari_tadi": ["pct"]}, "diagnosis_search"),
        ("lanjut", {"cari_tadi": ["demam", "pct"]}, "medicine_search"),
        ("lanjut", {"medicine_search": ""}, "diagnosis_search"),
    ],
)
def test_the_search_that_was_sent_has_the_focus_again(umum, aksi, more, focused):
    page = text_of(send(umum, served(), aksi, **BOTH | more))
    fields = re.findall('name="([^"]+)"[^>]* data-autofocus', page)
    assert fields == ([focused] if focused else [])
    for name, text in (BOTH | more).items():
        if name.endswith("_search") and text:
            assert f'name="cari_tadi" value="{text}"' in page


def test_all_that_lines_lack_is_told_at_once_each_with_its_box(umum):
    entry = served()
    fields = both(
        line("b1", "PCT500", sig="", days=""),
        line("b2", "AMLO5", days=""),
        line("b7", "ORALIT", sig="tiap BAB", days=""),
    )
    answer = send(umum, entry, "selesai", assessment="", disposition="", **fields)
    assert answer.status_code == 422
    told = links(answer)
    assert list(told) == ["f-assessment", "f-disposition", "f-rx_sig-b1", "f-rx_days-b1",
                          "f-rx_days-b2", "f-rx_quantity-b7"]  # fmt: skip
    assert told["f-rx_sig-b1"] == "Isi aturan pakai Parasetamol 500 mg tablet."
    assert told["f-rx_days-b1"] == "Isi lamanya (hari) atau jumlah Parasetamol 500 mg tablet."
    page = text_of(answer)
    for name in told:
        assert f'id="{name}"' in page
    for name in list(told)[2:]:
        assert re.search(f'id="{name}"[^>]*aria-invalid="true"', page), name


def test_what_cannot_be_read_is_told_with_all_that_is_missing(umum):
    entry = served()
    fields = both(
        line("b1", "PCT-S"),
        line("b2", "PCT500", sig="", days="", quantity="banyak"),
        line("b3", "racikan", title="puyer", parts=""),
        line("b4", "CTM4", days=""),
    )
    answer = send(umum, entry, "selesai", assessment="", **fields)
    assert list(links(answer)) == ["f-assessment", "f-rx_sig-b1", "f-rx_quantity-b2",
                                   "f-rx_parts-b3", "f-rx_days-b4"]  # fmt: skip
    answer = send(umum, entry, **fields)  # a draft may lack what it likes, but must be readable
    assert list(links(answer)) == ["f-rx_sig-b1", "f-rx_quantity-b2", "f-rx_parts-b3"]


def test_stored_lines_are_told_of_as_well(umum):
    entry = served()
    send(umum, entry, **both(line("b1", sig="", days=""), line("b2", "CTM4", days="")))
    data = {"aksi": "selesai", "entry": entry.public_id, "version": "1", "disposition": "pulang"}
    told = links(post(umum, address(entry), data))
    keys = [row.public_id[-12:] for row in lines_of(entry)]
    assert list(told) == [
        f"f-rx_sig-{keys[0]}",
        f"f-rx_days-{keys[0]}",
        f"f-rx_days-{keys[1]}",
    ]


@pytest.mark.parametrize(("words", "left"), [("para", ""), ("amoks", "amoks")])
def test_another_search_beside_a_tick_is_kept(umum, words, left):
    answer = send(umum, served(), "cari_obat", medicine_search=words, obat=["PCT500"])
    assert f'name="medicine_search" value="{left}"' in text_of(answer)


def test_a_compound_and_one_for_an_outside_pharmacy(umum):
    entry = served()
    page = text_of(send(umum, entry, "racikan"))
    assert 'name="rx" value="b1 racikan"' in page
    fields = both(
        line("b1", "racikan", title="puyer", parts="CTM 1/4\nparasetamol 500 120 mg"),
        line("b2", "luar", title="Gabapentin 300 mg", quantity="14 kapsul"),
    )
    assert send(umum, entry, **fields).status_code == 303
    first, second = lines_of(entry)
    assert (first.title, first.quantity, len(first.components)) == ("Racikan puyer", 15, 2)
    assert (second.title, second.unit, second.medicine) == ("Gabapentin 300 mg", "kapsul", None)
    page = text_of(umum.get(address(entry)))
    assert "Parasetamol 500 mg tablet = 120 mg" in page
    assert "3 x sehari 1 bungkus; 15 bungkus" in page


def test_a_line_taken_off_the_form_ends(umum):
    entry = served()
    send(umum, entry, **both(line("b1"), line("b2", "CTM4")))
    first, second = lines_of(entry)
    keys = [row.public_id[-12:] for row in (first, second)]
    fields = both(line(keys[0]), line(keys[1], "CTM4")) | {"rx_hapus": keys[0]}
    assert send(umum, entry, version=1, **fields).status_code == 303
    assert [row.id for row in lines_of(entry)] == [second.id]


def test_a_wrong_line_is_shown_with_its_sentence_and_all_that_was_typed(umum):
    entry = served()
    fields = both(line("b1", sig="3x1", note="sesudah makan"), line("b2", "PCT-S", sig="3x1"))
    answer = send(umum, entry, subjective="panas", **fields)
    page = text_of(answer)
    assert answer.status_code == 422
    assert 'id="f-rx-b2-error"' in page
    assert "Tulis satuan dosis" in page
    assert 'value="sesudah makan"' in page
    assert "panas" in page
    assert of(entry) is None


# --- Warnings ---------------------------------------------------------------------------------


def test_the_examination_says_which_allergy_warns_of_no_medicine(umum):
    entry = served()
    saved = send(umum, entry, allergy_substance="kromafin")
    assert 'tidak mengenal "kromafin" sebagai obat' in text_of(umum.get(saved.location))
    saved = send(umum, entry, version=1, allergy_substance="udang")
    assert "tidak mengenal" not in text_of(umum.get(saved.location))


def test_a_warning_asks_for_its_reason_on_the_page(umum):
    entry = served(person=allergic("Penisilin", "gatal"))
    answer = send(umum, entry, "selesai", **line(what="AMOX500"))
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Pasien alergi Penisilin (gatal)" in page
    assert 'data-rule="ALERGI" data-level="warning"' in page
    (name,) = re.findall(r'name="(rx_alasan-\w+)"', page)
    assert 'value="3x1"' in page
    assert at_pharmacy(entry) is None
    assert of(entry) is None
    said = line(what="AMOX500") | {name: "sudah pernah minum"}
    answer = send(umum, entry, "selesai", **said)
    assert answer.status_code == 303
    assert at_pharmacy(entry) is not None


def test_an_allergy_typed_in_the_same_form_counts_for_its_prescription(umum):
    entry = served()
    told = line(what="AMOX500") | {"allergy_substance": "Penisilin", "allergy_reaction": "gatal"}
    answer = send(umum, entry, "selesai", **told)
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Pasien alergi Penisilin (gatal): Amoksisilin" in page
    assert 'name="allergy_substance" value="Penisilin"' in page
    (name,) = re.findall(r'name="(rx_alasan-\w+)"', page)
    db.session.rollback()
    assert (of(entry), allergies.current(entry.visit.patient)) == (None, [])  # all or nothing
    answer = send(umum, entry, "selesai", **told | {name: "gatalnya ringan, diawasi"})
    assert answer.status_code == 303
    db.session.rollback()
    assert allergies.labels(allergies.current(entry.visit.patient)) == ["Penisilin (gatal)"]
    assert at_pharmacy(entry) is not None


def test_what_is_missing_at_the_end_is_told_at_once(umum):
    entry = served(person=allergic("Penisilin", "gatal"))
    nothing = line(what="AMOX500") | {"assessment": "", "disposition": ""}
    answer = send(umum, entry, "selesai", **nothing)
    page = words_of(answer)
    assert answer.status_code == 422
    for sentence in ("Isi diagnosis atau", "Pilih tindak lanjut", "Tulis alasan di setiap"):
        assert sentence in page, sentence
    searched = {"diagnosis_search": "diare", "disposition": ""}
    answer = send(umum, entry, "selesai", **line() | searched)
    assert answer.status_code == 422
    assert "centang diagnosis" in words_of(answer)
    assert "Pilih tindak lanjut" in words_of(answer)


def test_a_reason_given_in_a_draft_stands_there_afterwards(umum):
    entry = served(person=allergic("Penisilin"))
    page = text_of(send(umum, entry, "cari_obat", **line(what="AMOX500")))
    (name,) = re.findall(r'name="(rx_alasan-\w+)"', page)
    send(umum, entry, **line(what="AMOX500") | {name: "tidak ada pilihan lain"})
    page = text_of(umum.get(address(entry)))
    assert "Alasan: tidak ada pilihan lain (dr. Bagus Prasetyo)" in page
    assert name not in page


# --- Sent, cancelled, written anew ------------------------------------------------------------


def test_the_end_says_where_the_patient_goes(umum):
    entry = served()
    assert send(umum, entry, "selesai", **line()).status_code == 303
    page = words_of(umum.get("/poli/UMUM"))
    assert f"Resep {of(entry).number} dikirim; pasien antre di" in page


def test_who_comes_back_and_goes_on_for_the_first_prescription_is_said_to(umum):
    entry = served()
    send(umum, entry, "selesai", **line(), disposition="rujuk_internal", refer_to="LANSIA")
    assert "menunggu; pasien antre di farmasi sesudah" in words_of(umum.get("/poli/UMUM"))
    for code in ("LANSIA", "UMUM"):
        rows = select(QueueEntry).where(QueueEntry.visit_id == entry.visit_id)
        there = db.session.scalars(rows.order_by(QueueEntry.id.desc())).first()
        assert there.poli.code == code
        with transaction():
            queues.act(factories.actor("umum"), there, "mulai")
        assert send(umum, there, "selesai").status_code == 303
        page = words_of(umum.get(f"/poli/{code}"))
        assert ("selesai. Pasien antre di Farmasi." in page) is (code == "UMUM")


def test_the_queues_button_too_says_that_the_patient_goes_on_to_the_pharmacy(umum):
    entry = served()
    send(umum, entry, "selesai", **line(), disposition="rujuk_internal", refer_to="LANSIA")
    for code in ("LANSIA", "UMUM"):
        rows = select(QueueEntry).where(QueueEntry.visit_id == entry.visit_id)
        there = db.session.scalars(rows.order_by(QueueEntry.id.desc())).first()
        with transaction():
            queues.act(factories.actor("umum"), there, "mulai")
        answer = post(umum, f"/antrean/{there.public_id}/selesai")
        said = f"selesai di {there.poli.name}. Pasien antre di Farmasi."
        assert (said in words_of(umum.get(answer.location))) is (code == "UMUM")


def test_who_is_sent_to_the_pharmacy_by_hand_is_not_said_to_come_back(umum):
    entry = served()
    to = {"disposition": "rujuk_internal", "refer_to": "FARMASI"}
    send(umum, entry, "selesai", **line() | to)
    page = words_of(umum.get("/poli/UMUM"))
    assert "pasien antre di Farmasi" in page
    assert "kembali ke sini" not in page


def test_only_outside_medicines_are_said_to_need_no_queue(umum):
    entry = served()
    send(umum, entry, "selesai", **line(what="luar", title="Gabapentin", quantity="14 kapsul"))
    assert "untuk apotek luar; pasien tidak antre" in words_of(umum.get("/poli/UMUM"))


def test_a_conflict_shows_the_others_medicines_beside_ones_own(umum, sign_in):
    entry = served()
    send(umum, entry, **line())
    kepala = sign_in("kepala")
    key = lines_of(entry)[0].public_id[-12:]
    send(kepala, entry, version=1, **line(key, days="3"))
    answer = send(umum, entry, version=1, **both(line(key), line("b9", "CTM4", sig="3x1")))
    page = words_of(answer)
    assert answer.status_code == 409
    assert "Parasetamol 500 mg tablet: 3 x sehari 1 tablet; 9 tablet" in page
    assert "Klorfeniramin maleat" in page


def test_what_was_typed_for_a_finished_examination_is_given_back(umum, sign_in):
    entry = served()
    finish(entry, PCT)
    answer = send(umum, entry, **line(what="CTM4"))
    assert answer.status_code == 409
    assert "Klorfeniramin maleat 4 mg tablet: 3 x sehari 1 tablet" in words_of(answer)


@pytest.mark.parametrize(("username", "status"), [("umum", 303), ("kepala", 303), ("gigi", 404)])
def test_who_may_cancel(sign_in, username, status):
    entry = served()
    finish(entry, PCT)
    path = f"/resep/{of(entry).public_id}/batal"
    answer = post(sign_in(username), path, {"alasan": "salah obat"})
    assert answer.status_code == status
    is_cancelled = of(entry).state is PrescriptionState.CANCELLED
    assert is_cancelled == (status == 303)


def test_a_line_is_cancelled_and_another_prescription_written(umum):
    entry = served()
    finish(entry, PCT)
    page = text_of(umum.get(address(entry)))
    row = lines_of(entry)[0]
    assert f"/resep/obat/{row.public_id}/batal" in page
    post(umum, f"/resep/obat/{row.public_id}/batal", {"alasan": ""})
    assert of(entry).state is PrescriptionState.SENT
    assert "Tulis alasan" in words_of(umum.get(address(entry)))
    post(umum, f"/resep/obat/{row.public_id}/batal", {"alasan": "ganti"})
    page = text_of(umum.get(address(entry)))
    path = f"/pemeriksaan/{of(entry).examination.public_id}/resep"
    assert path in page
    assert "Resep baru" in text_of(umum.get(path))
    wrong = post(umum, path, {"aksi": "kirim", "rx_sent": "1", **line(sig="")})
    assert wrong.status_code == 422
    assert list(links(wrong)) == ["f-rx_sig-b1"]
    right = post(umum, path, {"aksi": "kirim", "rx_sent": "1", **line(what="CTM4")})
    assert right.status_code == 303
    assert of(entry).number.endswith("-0002")
    again = post(umum, path, {"aksi": "kirim", "rx_sent": "1", **line(what="CTM4")})
    assert "sudah punya resep" in text_of(again)


@pytest.mark.parametrize(
    ("steps", "stands"),
    [
        ((), "pasien antre di Farmasi"),
        (("panggil", "mulai"), "pasien sedang dilayani di Farmasi"),
    ],
)
def test_another_prescription_says_how_the_pharmacy_has_the_patient(umum, steps, stands):
    entry = served()
    ref = finish(entry, PCT).public_id
    there = at_pharmacy(entry)
    with transaction():
        for step in steps:
            queues.act(factories.actor("farmasi"), there, step)
    first = lines_of(entry)[0].public_id
    post(umum, f"/resep/obat/{first}/batal", {"alasan": "ganti"})
    sent = {"aksi": "kirim", "rx_sent": "1", **line(what="CTM4")}
    assert post(umum, f"/pemeriksaan/{ref}/resep", sent).status_code == 303
    assert stands in words_of(umum.get(address(entry)))


@pytest.mark.parametrize(
    ("username", "status"), [("gigi", 404), ("loket", 403), ("rekammedis", 403)]
)
def test_who_may_not_write_anew(sign_in, username, status):
    entry = served()
    ref = finish(entry).public_id
    assert sign_in(username).get(f"/pemeriksaan/{ref}/resep").status_code == status


def test_the_pharmacy_and_the_laboratory_write_none(sign_in):
    entry = served("LAB", "lab")
    page = text_of(sign_in("kepala").get(address(entry) + f"?antrean={entry.public_id}"))
    assert 'name="rx_sent"' not in page
    assert 'id="isian"' in page


# --- In the record ----------------------------------------------------------------------------


def test_the_record_shows_what_was_prescribed(umum):
    entry = served()
    finish(entry, PCT)
    later = served("UMUM", person=None)
    for url in (address(entry), f"/pasien/{entry.visit.patient.public_id}"):
        page = words_of(umum.get(url))
        assert "Parasetamol 500 mg tablet" in page, url
        assert "3 x sehari 1 tablet" in page, url
        assert of(entry).number in page, url
    assert later is not None


def test_the_history_asks_as_much_for_one_prescription_as_for_six(app):
    counts = []
    for size in (1, 6):
        person = factories.patient(f"Orang {size}")
        for _ in range(size):
            entry = served("GIGI", "gigi", person)
            compound = LineInput("racikan", "3x1", "3", title="puyer", parts="CTM 1/4")
            finish(entry, compound, LineInput("PCT500", "3x1", "3"), by="gigi")
            cancel(entry, "hanya contoh")
        with count_queries() as queries:
            shown = history.history(person, 20)
        assert sum(len(visit.prescriptions) for visit in shown) == size
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_is_shown_as_it_was_typed(umum, text):
    entry = served()
    fields = both(
        line("b1", "luar", sig="", days="", title=text, quantity="3 buah", note=text),
        line("b2", "racikan", title="puyer", parts=f"gula {text} 2"),
    )
    shown = text_of(send(umum, entry, "cari_obat", medicine_search=text, **fields))
    raw = send(umum, entry, rx_note=text, **fields)
    assert raw.status_code == 303
    finished = send(umum, entry, "selesai", version=1, rx_note=text, **fields)
    assert finished.status_code == 303
    number = of(entry).public_id
    post(umum, f"/resep/{number}/batal", {"alasan": text})
    pages = [shown]
    for url in (address(entry), f"/pasien/{entry.visit.patient.public_id}"):
        answer = umum.get(url)
        page = answer.get_data(as_text=True)
        for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
            assert piece not in page, (url, piece)
        pages.append(html.unescape(page))
    stored = clean_text(text, 200)
    assert text in pages[0]
    assert all(stored in page for page in pages[1:])


def test_the_form_with_its_prescription_is_6_kb(umum):
    entry = served(person=allergic("Penisilin"))
    codes = ("PCT500", "AMOX500", "CTM4", "GG100", "OMEP20", "PCT-S")
    sigs = ("3x1", "3x1", "3x1/2", "3x1", "1x1", "3x5 mL")
    fields = both(*(line(f"b{n}", code, sig, note="sesudah makan")
                    for n, (code, sig) in enumerate(zip(codes, sigs, strict=True))))  # fmt: skip
    assert send(umum, entry, **fields).status_code == 303
    umum.is_checking = False
    answer = umum.get(address(entry), headers={"Accept-Encoding": "gzip"})
    umum.is_checking = True
    assert gzip.decompress(answer.data).decode().count('name="rx"') == 6
    assert len(answer.data) <= 6 * 1024


def test_nothing_of_another_examination_is_touched(umum):
    with transaction():
        assert list(db.session.scalars(select(Prescription))) == []
    entry = served()
    send(umum, entry, subjective="tanpa obat")
    assert of(entry) is None
    examination = db.session.scalar(select(Examination))
    assert prescriptions.of(examination) is None
