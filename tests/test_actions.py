"""Actions: the clinic's list, the examination's actions, their way through draft and amendment."""

import csv
import gzip

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from clinic import action_list, history, paper_facts, procedures, records, reference
from clinic.procedures import ProcedureInput
from clinic.records import ExaminationInput, RecordError
from db import db, transaction
from models import ActionTerm, AuditEntry, Poli, Procedure
from tests import factories
from tests.pages import post
from tests.test_examination import HARMFUL, examination, send, served, text_of, words_of


def rows(**where) -> list[Procedure]:
    return list(db.session.scalars(select(Procedure).filter_by(**where).order_by(Procedure.id)))


def now(entry) -> list[tuple[str, int, str]]:
    return [(row.title, row.quantity, row.note) for row in procedures.active(examination(entry))]


def codes(text, first=()):
    return [term.code for term in action_list.search(text, first)]


@pytest.fixture
def gigi(sign_in):
    return sign_in("gigi")


def at_the_dentist(**fields):
    return served("GIGI", by="gigi", **fields)


# --- The list ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("cabut gigi", "CABUT-SULUNG"),
        ("tambal", "TAMBAL"),
        ("scaling", "SCALING"),
        ("sunat", "SIRKUMSISI"),
        ("nebulizer", "NEBUL"),
        ("hecting", "HECTING"),
        ("23.09", "CABUT-TETAP"),
        ("pasang iud", "IUD-PASANG"),
        ("lepas susuk", "IMPLAN-LEPAS"),
        ("ekg", "EKG"),
        ("sirkumsisy", "SIRKUMSISI"),  # another spelling, a slip of the hand
        ("nebulzier", "NEBUL"),
        ("imunisasi bcg", "BCG"),
        ("up hecting", "AFF-HECTING"),  # as nurses say them
        ("ganti perban", "GANTI-VERBAN"),
        ("wound toilet", "CUCI-LUKA"),
        ("cabut kuku", "EKST-KUKU"),
        ("tes buta warna", "VISUS"),
        ("suntik vitamin", "INJEKSI"),
        ("konsul gizi", "KONSELING-GIZI"),
        ("hb 0", "HB0"),
        ("exo", "CABUT-TETAP"),
        ("open bur", "TREPANASI"),
    ],
)
def test_an_action_is_found_by_the_words_that_people_type(app, typed, first):
    assert codes(typed)[0] == first


def test_what_the_room_usually_does_leads_the_answers(app):
    assert codes("hecting", ["JAHIT-GUSI"])[:2] == ["JAHIT-GUSI", "HECTING"]
    assert codes("xqzw") == codes("") == codes("%") == []


def test_the_shipped_list_fits_rooms_and_columns(app):
    shipped = reference.rows("action_terms.csv")
    rooms = set(db.session.scalars(select(Poli.code)))
    assert not [row["code"] for row in shipped if set((row["rooms"] or "").split()) - rooms]
    assert len({row["code"] for row in shipped}) == len(shipped) >= 80
    assert db.session.scalar(select(func.count(ActionTerm.id))) == len(shipped)


def test_the_list_is_the_heads(sign_in):
    assert sign_in("umum").get("/sistem/tindakan").status_code == 403
    head = sign_in("kepala")
    page = head.get("/sistem/tindakan")
    assert "Pencabutan gigi tetap" in text_of(page)
    assert len(gzip.compress(page.data, 6)) <= 6 * 1024
    data = {"code": "tindik", "name": "Tindik telinga", "synonyms": "anting", "rooms": ["UMUM"]}
    assert post(head, "/sistem/tindakan/baru", data).status_code == 303
    assert codes("anting") == ["TINDIK"]
    assert "TINDIK" in action_list.usual_codes(factories.poli("UMUM"))
    again = post(head, "/sistem/tindakan/baru", data)
    assert again.status_code == 422 and "Kode ini sudah dipakai." in text_of(again)
    term = db.session.scalars(select(ActionTerm).where(ActionTerm.code == "TINDIK")).one()
    data = {"name": "Tindik", "synonyms": "giwang", "icd9_code": "18.01"}
    assert post(head, f"/sistem/tindakan/{term.id}", data).status_code == 303  # without "Dipakai"
    assert codes("giwang") == []
    assert not action_list.is_known("tindik") and action_list.is_known("ekg")
    told = select(AuditEntry.details).where(AuditEntry.action == "change_action_term")
    assert db.session.scalars(told).one().startswith("TINDIK: nama: Tindik telinga > Tindik; ")
    assert db.session.scalar(select(AuditEntry.seq).filter_by(action="create_action_term"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Isi nama tindakan."),
        ({"code": "a b"}, "Kode: Huruf, angka, setrip."),
        ({"icd9_code": "2.3"}, "Seperti 23.09."),
        ({"name": "scaling!", "code": "X"}, ""),
        ({"name": "penambalan  GIGI"}, "Penambalan gigi sudah ada di daftar."),
        ({"rooms": ["BULAN"]}, "Pilihan ini tidak ada"),
    ],
)
def test_a_wrong_action_is_refused_with_all_that_was_typed(sign_in, fields, sentence):
    data = {"code": "BARU", "name": "Tindakan baru", "synonyms": HARMFUL} | fields
    answer = post(sign_in("kepala"), "/sistem/tindakan/baru", data)
    assert answer.status_code == (422 if sentence else 303)
    if sentence:
        assert sentence in text_of(answer) and HARMFUL in text_of(answer)


def test_the_program_changes_nothing_that_the_head_changed(app):
    with transaction():
        term = db.session.scalars(select(ActionTerm).where(ActionTerm.code == "EKG")).one()
        values = {"name": "Rekam jantung", "synonyms": "", "icd9_code": "", "rooms": ""}
        action_list.change_term(factories.actor("kepala"), term, values | {"is_active": True})
        reference.seed()
    assert codes("rekam jantung") == ["EKG"] and codes("elektrokardiografi") == []


# --- In the examination ------------------------------------------------------------------------


def test_actions_go_with_the_draft_and_end_without_vanishing(gigi):
    entry = at_the_dentist()
    page = text_of(gigi.get(f"/kunjungan/{entry.visit.public_id}"))
    assert page.index('name="procedure_favourite" value="CABUT-TETAP"') < page.index(
        "Cari tindakan"
    )
    send(gigi, entry, procedure_favourite=["CABUT-TETAP", "SCALING"])
    assert now(entry) == [("Pencabutan gigi tetap", 1, ""), ("Pembersihan karang gigi", 1, "")]
    fields = {
        "procedure": ["CABUT-TETAP", "SCALING"],
        "procedure_quantity-1": "2", "procedure_note-1": "36, 46",
        "procedure_quantity-2": "1", "procedure_remove-2": "1",
    }  # fmt: skip
    send(gigi, entry, version=1, **fields)
    assert now(entry) == [("Pencabutan gigi tetap", 2, "36, 46")]
    assert [(row.code, row.ended_at is None) for row in rows()] == [
        ("CABUT-TETAP", False),
        ("SCALING", False),
        ("CABUT-TETAP", True),
    ]
    assert examination(entry).version == 2  # actions alone raise the version too
    assert rows()[-1].icd9_code == "23.09"


def test_a_form_without_actions_keeps_them_and_finishing_twice_changes_nothing(gigi):
    entry = at_the_dentist()
    send(gigi, entry, procedure=["TAMBAL"], diagnosis="K02.1")
    fields = {"procedure": "TAMBAL", "procedure_quantity-1": "1", "disposition": "pulang"}
    assert send(gigi, entry, "selesai", 1, **fields).status_code == 303
    assert send(gigi, entry, "selesai", 1, **fields).status_code == 303
    assert len(rows()) == 1 and now(entry) == [("Penambalan gigi", 1, "")]
    other = fields | {"procedure_note-1": "16"}
    assert send(gigi, entry, "selesai", 1, **other).status_code == 409


def test_a_second_writer_is_shown_the_firsts_actions(gigi, sign_in):
    entry = at_the_dentist()
    send(gigi, entry, assessment="x", procedure=["TAMBAL"])
    late = send(sign_in("kepala"), entry, procedure_favourite="SCALING", subjective="saya")
    page = words_of(late)
    assert late.status_code == 409 and "Penambalan gigi" in page
    assert 'name="procedure" value="SCALING"' in text_of(late)
    assert now(entry) == [("Penambalan gigi", 1, "")]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("quantity", ["0", "100", "dua", "-1", "1.5"])
def test_a_wrong_quantity_is_refused_and_kept(gigi, quantity):
    entry = at_the_dentist()
    fields = {
        "procedure": "TAMBAL",
        "procedure_quantity-1": quantity,
        "procedure_note-1": "gigi 16",
    }
    answer = send(gigi, entry, **fields)
    assert answer.status_code == 422 and "isi angka 1 sampai 99" in text_of(answer)
    assert f'value="{quantity}"' in text_of(answer) and 'value="gigi 16"' in text_of(answer)
    assert rows() == []


def test_words_in_the_search_box_are_asked_about(gigi):
    entry = at_the_dentist()
    asked = send(gigi, entry, procedure_search="tambal", assessment="x")
    assert asked.status_code == 422 and "centang tindakan yang cocok" in text_of(asked)
    assert 'name="procedure" value="TAMBAL"' in text_of(asked) and examination(entry) is None
    assert send(gigi, entry, "lanjut", procedure_search="tambal").status_code == 200
    send(gigi, entry, procedure_search="tambal", procedure="TAMBAL")
    assert now(entry) == [("Penambalan gigi", 1, "")]
    send(gigi, entry, version=1, procedure_search="scaling")  # a code stands for itself
    assert [title for title, _, _ in now(entry)] == ["Pembersihan karang gigi"]


def test_the_fragment_keeps_what_was_ticked(gigi):
    entry = at_the_dentist()
    url = f"/kunjungan/{entry.visit.public_id}/tindakan?antrean={entry.public_id}"
    page = text_of(gigi.get(f"{url}&q=gusi&procedure=TAMBAL&procedure=doa"))
    assert 'value="TAMBAL" checked' in page and 'value="doa" checked' in page
    assert 'value="INSISI-GUSI"' in page
    assert 'id="procedure-options"' in page


@pytest.mark.parametrize(
    ("typed", "is_near"), [("scaling", False), ("skeling", True), ("xqzw", False)]
)
def test_actions_that_are_only_called_nearly_so_are_shown_as_such(gigi, typed, is_near):
    entry = at_the_dentist()
    url = f"/kunjungan/{entry.visit.public_id}/tindakan?antrean={entry.public_id}"
    fragment = text_of(gigi.get(f"{url}&q={typed}"))
    page = text_of(send(gigi, entry, "cari", procedure_search=typed))
    for found in (fragment, page):
        assert ("nama mirip, baca dulu" in found) == is_near
        assert ("Pembersihan karang gigi" in found.split('id="procedure-options"')[1]) == (
            typed != "xqzw"
        )


def test_text_that_is_on_no_list_is_kept_and_escaped_everywhere(gigi):
    entry = at_the_dentist()
    send(gigi, entry, procedure=[HARMFUL])
    fields = {"procedure": HARMFUL, "procedure_quantity-1": "1", "procedure_note-1": HARMFUL}
    fields |= {"procedure_search": "", "assessment": "x", "disposition": "pulang"}
    url = f"/kunjungan/{entry.visit.public_id}"
    for action, version in (("simpan", 1), ("selesai", 2)):
        send(gigi, entry, action, version, **fields)
        html = gigi.get(url).get_data(as_text=True)
        assert (
            "<b>&#34;Siti" not in html
            and '<b>"Siti' not in html
            and HARMFUL in text_of(gigi.get(url))
        )
    assert now(entry) == [(HARMFUL, 1, HARMFUL)]
    query = {"q": HARMFUL, "procedure": HARMFUL}
    fragment = gigi.get(f"{url}/tindakan", query_string=query).get_data(as_text=True)
    assert '<b>"Siti' not in fragment


def test_an_ended_action_of_the_list_can_stay_on_a_record(gigi):
    entry = at_the_dentist()
    send(gigi, entry, procedure=["TAMBAL"])
    with transaction():
        term = db.session.scalars(select(ActionTerm).where(ActionTerm.code == "TAMBAL")).one()
        term.is_active, term.name = False, "Lain"
    fields = {"procedure": "TAMBAL", "procedure_quantity-1": "2"}
    send(gigi, entry, version=1, **fields)
    assert now(entry) == [("Penambalan gigi", 2, "")]


def test_the_record_shows_actions_and_an_amendment_corrects_them(gigi):
    entry = at_the_dentist()
    send(gigi, entry, procedure=["TAMBAL"])
    done = {"procedure": "TAMBAL", "procedure_quantity-1": "2", "procedure_note-1": "16, 17"}
    send(gigi, entry, "selesai", 1, **done, assessment="karies", disposition="pulang")
    page = words_of(gigi.get(f"/kunjungan/{entry.visit.public_id}"))
    assert "Tindakan Penambalan gigi 23.2 2x: 16, 17" in page
    found = examination(entry)
    url = f"/pemeriksaan/{found.public_id}/pembetulan"
    assert 'value="16, 17"' in text_of(gigi.get(url))
    data = {"version": str(found.version), "reason": "salah gigi", **done}
    data["procedure_note-1"] = "26, 27"
    assert post(gigi, url, data).status_code == 303
    assert now(entry) == [("Penambalan gigi", 2, "26, 27")]
    story = words_of(gigi.get(f"/pemeriksaan/{found.public_id}/riwayat"))
    assert "Penambalan gigi 2x: 16, 17" in story and "Penambalan gigi 2x: 26, 27" in story


def test_the_rooms_own_practice_comes_before_what_the_list_gives_it(app):
    poli = factories.poli("UMUM")
    assert action_list.usual_codes(poli)[0] != "SERUMEN"
    entry = served()
    form = ExaminationInput(
        procedures=[ProcedureInput("SERUMEN")], assessment="x", disposition="pulang"
    )
    with transaction():
        records.finish(factories.actor("umum"), entry, form, 0)
    assert action_list.usual_codes(poli)[0] == "SERUMEN"
    assert "SERUMEN" not in [term.code for term in action_list.offers(poli, {"SERUMEN"})]
    summary = history.visit_summary(entry.visit)
    assert [row.code for row in summary.rooms[0].procedures] == ["SERUMEN"]
    assert paper_facts.treatment_text(summary.rooms[0]) == "Ekstraksi serumen"


def test_the_table_refuses_nonsense(app):
    entry = served()
    with transaction():
        form = ExaminationInput(assessment="x")
        found = records.save(factories.actor("umum"), entry, form, 0)
        found_id, user_id = found.id, factories.user("umum").id
    for wrong in ({"quantity": 0}, {"title": ""}, {"ended_by_id": user_id}):
        values = {"title": "x", "examination_id": found_id, "recorded_by_id": user_id} | wrong
        with pytest.raises(IntegrityError), transaction():
            db.session.add(Procedure(**values))
    with pytest.raises(RecordError, match="Jumlah"):
        procedures.lines([ProcedureInput("EKG", "banyak")])


def test_icd9_codes_look_like_codes():
    with (reference.DATA / "action_terms.csv").open(encoding="utf-8", newline="") as file:
        given = [row["icd9_code"] for row in csv.DictReader(file) if row["icd9_code"]]
    assert all(len(code) <= 5 and code[2] == "." and code[:2].isdigit() for code in given)
