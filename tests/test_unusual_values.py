"""Unusual measurements: "Selesai" stops for what its page did not say, and once only."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic import queues, records, triage
from db import db, transaction
from models import QueueEntry, TriagePriority, VitalSigns
from tests import factories
from tests.amending import finished
from tests.pages import post
from tests.test_amendment_pages import send as correct
from tests.test_amendment_pages import stored
from tests.test_examination import address, all_rows, examination, hidden, send, served, text_of

END = {"assessment": "ISPA", "disposition": "pulang"}
PREGNANT = {"assessment": "hamil", "disposition": "pulang", "room_form": "hamil"}


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        (
            {"systolic": "90", "diastolic": "150"},
            "diastolic",
            "Diastolik 150 tidak lebih rendah dari sistolik 90. Mungkin tertukar.",
        ),
        ({"temperature": "41,9"}, "temperature", "Suhu 41,9 tidak lazim untuk umur ini."),
        ({"weight": "6,5"}, "weight", "Berat badan 6,5 tidak lazim untuk umur ini."),
        ({"height": "65"}, "height", "Tinggi badan 65 tidak lazim untuk umur ini."),
        ({"saturation": "45"}, "saturation", "Saturasi oksigen 45 tidak lazim untuk umur ini."),
    ],
)
def test_the_end_stops_once_for_an_unusual_value(sign_in, typed, field, said):
    umum, entry = sign_in("umum"), served()
    umum.get(address(entry))
    asked = send(umum, entry, "selesai", **typed, **END)
    page = text_of(asked)
    assert asked.status_code == 422
    assert f'<a href="#f-{field}">{said}' in page and "tekan Selesai sekali lagi" in page
    assert f'data-rule="VITAL-{field}"' in page
    for name, value in typed.items():
        assert f'name="{name}" value="{value}"' in page
    assert 'value="pulang" checked' in page
    assert examination(entry) is None and all_rows(VitalSigns) == []
    seen = hidden(asked, "vitals_seen")
    assert send(umum, entry, "selesai", vitals_seen=seen, **typed, **END).status_code == 303
    assert examination(entry).finished_at and len(all_rows(VitalSigns)) == 1


def test_a_childs_weight_with_a_slip_stops(sign_in):
    born = factories.visit().service_day.on - timedelta(days=1070)
    entry = served(person=factories.patient("Anak Kecil", sex="L", birth_date=born))
    umum = sign_in("umum")
    umum.get(address(entry))
    assert send(umum, entry, "selesai", weight="144", **END).status_code == 422
    assert send(umum, entry, "selesai", weight="14,4", **END).status_code == 303


def test_a_pregnancy_stops_for_its_own_limits(sign_in):
    entry, kia = served("KIA", by="kia", pregnant="ya"), sign_in("kia")
    kia.get(address(entry))
    typed = {"systolic": "170", "diastolic": "115", "fetal_heart": "60", "arm_circumference": "22"}
    asked = send(kia, entry, "selesai", **typed, **PREGNANT)
    page = text_of(asked)
    assert asked.status_code == 422
    for field in typed:
        assert f'<a href="#f-{field}">' in page
    assert 'data-rule="KEHAMILAN-TD"' in page, "judged by the pressure that was typed"
    seen = hidden(asked, "vitals_seen")
    assert send(kia, entry, "selesai", vitals_seen=seen, **typed, **PREGNANT).location


@pytest.mark.parametrize(
    ("room", "pregnant", "sent"),
    [
        ("KIA", "ya", {"room_form": "hamil"}),
        ("KIA", "nifas", {"room_form": "hamil", "para": "2"}),
        ("GIGI", "nifas", {}),
        ("UGD", "ya", {}),
    ],
)
def test_a_high_pressure_in_pregnancy_stops_once_with_and_without_the_form(
    sign_in, room, pregnant, sent
):
    who = {"KIA": "kia", "GIGI": "gigi", "UGD": "umum"}[room]
    entry, desk = served(room, by=who, pregnant=pregnant), sign_in(who)
    desk.get(address(entry))
    typed = {"systolic": "158", "diastolic": "105"} | END | sent
    asked = send(desk, entry, "selesai", **typed)
    page, said = text_of(asked), "tekanan darah 158/105: 140/90 atau lebih"
    assert asked.status_code == 422 and page.count('data-rule="KEHAMILAN-TD"') == 1
    assert f'<a href="#f-systolic">{"Hamil" if pregnant == "ya" else "Nifas"}, {said}.' in page
    seen = hidden(asked, "vitals_seen")
    higher = send(desk, entry, "selesai", **typed | {"systolic": "159"}, vitals_seen=seen)
    assert higher.status_code == 422, "another value"
    assert send(desk, entry, "selesai", vitals_seen=seen, **typed).status_code == 303


def test_a_severe_pressure_in_pregnancy_asks_for_a_referral(sign_in):
    entry, kia = served("KIA", by="kia", pregnant="ya"), sign_in("kia")
    kia.get(address(entry))
    asked = send(kia, entry, "selesai", systolic="162", diastolic="112", para="1", **PREGNANT)
    page = text_of(asked)
    assert "tekanan darah 162/112: 160/110 atau lebih, berat." in page
    assert page.count('data-rule="KEHAMILAN-TD" data-level="error"') == 1
    assert "<b>Tanda bahaya.</b> Hamil" in page and "pertolongan pertama dan rujuk" in page
    seen = {"vitals_seen": hidden(asked, "vitals_seen")}
    ended = send(kia, entry, "selesai", systolic="162", diastolic="112", **seen, **PREGNANT)
    assert ended.status_code == 303
    assert "TD sangat tinggi" in text_of(kia.get(address(entry)))


def test_one_box_says_all_that_is_unusual_of_it(sign_in):
    entry, umum = served(pregnant="nifas"), sign_in("umum")
    umum.get(address(entry))
    page = text_of(send(umum, entry, "selesai", diastolic="95", **END))
    assert "tekanan darah -/95: 140/90 atau lebih. Tekanan sistolik belum diisi." in page


def test_the_screening_desk_is_told_of_a_high_pressure_in_pregnancy(sign_in):
    umum, entry = sign_in("umum"), factories.entry(pregnant="ya")
    place = address(entry, "/tanda-vital")
    sent = post(umum, place, {"systolic": "142", "diastolic": "80"})
    assert sent.location.endswith(place), "not back to the queue"
    assert 'data-rule="KEHAMILAN-TD"' in text_of(umum.get(place))


def test_what_a_colleague_adds_meanwhile_stops_the_end_once(sign_in):
    entry, umum = served(), sign_in("umum")
    colleague = factories.actor("kepala")
    with transaction():
        records.measure(colleague, entry.visit, None, {"temperature": Decimal("39.1")})
    opened = {"vitals_seen": hidden(umum.get(address(entry)), "vitals_seen")}
    with transaction():
        usual = {"pulse": 80, "weight": Decimal(60), "temperature": Decimal("39.1")}
        records.measure(colleague, entry.visit, None, usual)
    assert send(umum, entry, "selesai", **opened).status_code == 422  # nothing is filled in
    with transaction():
        records.measure(colleague, entry.visit, None, {"systolic": 210, "diastolic": 130})
        triage.write(colleague, entry.visit, "bibir biru", TriagePriority.RED)
    asked = send(umum, entry, "selesai", **opened, **END)
    page = text_of(asked)
    assert asked.status_code == 422 and examination(entry) is None
    name = factories.user("kepala").display_name
    assert f"TD sangat tinggi: 210/130 mmHg, diukur {name} pukul" in page
    assert f"Triase merah menurut {name} pukul" in page and ", bibir biru." in page
    assert "Demam: 39,1" not in page, "that stood on the page"
    seen = hidden(asked, "vitals_seen")
    looked_up = send(umum, entry, "cari", diagnosis_search="diare", **opened)
    assert hidden(looked_up, "vitals_seen") == opened["vitals_seen"], "not said there"
    assert send(umum, entry, "selesai", vitals_seen=seen, **END).status_code == 303


def test_who_she_is_stops_nobody(sign_in):
    """A risk that no measuring changes is read on the page; it asks for no second press."""
    entry, kia = served("KIA", by="kia", pregnant="ya"), sign_in("kia")  # older than 35
    kia.get(address(entry))
    typed = {"para": "5", "birth_gap": "1", "height": "140", "fetal_heart": "140"}
    assert send(kia, entry, "selesai", **typed, **PREGNANT).status_code == 303


def test_another_unusual_value_is_asked_about_again(sign_in):
    umum, entry = sign_in("umum"), served()
    umum.get(address(entry))
    seen = hidden(send(umum, entry, "selesai", temperature="41,9", **END), "vitals_seen")
    fields = END | {"vitals_seen": seen}
    assert send(umum, entry, "selesai", temperature="41,5", **fields).status_code == 422
    more = send(umum, entry, "selesai", temperature="41,9", saturation="45", **fields)
    assert more.status_code == 422
    assert 'href="#f-saturation"' in text_of(more) and 'href="#f-temperature"' not in text_of(more)


def test_a_draft_is_never_stopped_and_what_it_showed_stops_no_end(sign_in):
    umum, entry = sign_in("umum"), served()
    saved = send(umum, entry, temperature="41,9")
    assert saved.status_code == 303
    page = umum.get(saved.location)
    assert 'data-rule="VITAL-temperature"' in text_of(page)
    seen = hidden(page, "vitals_seen")
    fields = END | {"vitals_seen": seen, "temperature": "41,9"}
    assert send(umum, entry, "selesai", 1, **fields).status_code == 303


@pytest.mark.parametrize(("name", "value"), [("weight", "28"), ("height", "110")])
def test_a_stored_number_is_the_one_that_was_typed(sign_in, name, value):
    """Stored as 28.00: said and asked about as 28 all the same."""
    umum, entry = sign_in("umum"), served()
    page = umum.get(send(umum, entry, **{name: value}).location)
    assert f" {value} tidak lazim" in text_of(page)
    fields = END | {"vitals_seen": hidden(page, "vitals_seen"), name: value}
    assert send(umum, entry, "selesai", 1, **fields).status_code == 303


def test_what_the_screening_desk_measured_stops_nobody(sign_in):
    umum, entry = sign_in("umum"), factories.entry()
    post(umum, address(entry, "/tanda-vital"), {"systolic": "230", "diastolic": "125"})
    with transaction():
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "panggil")
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "mulai")
    empty = dict.fromkeys(("systolic", "diastolic", "temperature"), "")
    assert send(umum, entry, "selesai", **empty, **END).status_code == 303


def test_a_page_that_is_shown_again_speaks_of_what_stands_in_its_fields(sign_in):
    umum, entry = sign_in("umum"), served()
    assert send(umum, entry, temperature="41,9").status_code == 303
    page = text_of(send(umum, entry, version=1, temperature="36,5", saturation="45", pulse="x"))
    assert 'data-rule="VITAL-saturation"' in page and 'data-rule="VITAL-temperature"' not in page
    stale = send(umum, entry, version=0, temperature="36,5", saturation="45")
    assert stale.status_code == 409 and 'data-rule="VITAL-saturation"' in text_of(stale)


def test_a_wrong_field_and_an_unusual_value_are_said_together(sign_in):
    umum, entry = sign_in("umum"), served()
    umum.get(address(entry))
    page = text_of(send(umum, entry, "selesai", pulse="x", saturation="45", **END))
    assert 'href="#f-pulse"' in page and 'href="#f-saturation"' in page


def test_what_the_end_would_refuse_is_said_with_an_unusual_value(sign_in):
    umum, entry = sign_in("umum"), served("UGD")
    umum.get(address(entry))
    typed = {"systolic": "70", "diastolic": "40", "disposition": "rujuk_eksternal"}
    rx = {"rx_sent": "1", "rx": "b1 PCT500", "rx_sig-b1": "3x1", "rx_days-b1": ""}
    asked = send(umum, entry, "selesai", **typed, **rx)
    page = text_of(asked)
    assert asked.status_code == 422 and "tekan Selesai sekali lagi" in page
    for field in ("systolic", "assessment", "refer_external", "rx_days-b1"):
        assert f'<a href="#f-{field}">' in page
    assert examination(entry) is None and all_rows(VitalSigns) == []
    more = {"assessment": "syok", "refer_external": "RSUD", "rx_days-b1": "3"}
    done = typed | rx | more | {"vitals_seen": hidden(asked, "vitals_seen")}
    assert send(umum, entry, "selesai", **done).status_code == 303


def test_half_a_pressure_stops_once_and_a_half_that_cannot_be_is_said_instead(sign_in):
    umum, entry = sign_in("umum"), served()
    umum.get(address(entry))
    wrong = text_of(send(umum, entry, "selesai", systolic="120", diastolic="800", **END))
    assert "harus 10 sampai 200 mmHg" in wrong and "belum diisi" not in wrong
    half = send(umum, entry, "selesai", systolic="120", **END)
    assert half.status_code == 422
    assert 'href="#f-diastolic">Tekanan diastolik belum diisi.' in text_of(half)
    seen = hidden(half, "vitals_seen")
    assert send(umum, entry, "selesai", systolic="120", vitals_seen=seen, **END).location


def test_a_page_that_only_looked_up_a_code_has_shown_nobody_the_values(sign_in):
    """Without scripts it opens at the search, past what stands at the vital signs."""
    umum, entry = sign_in("umum"), served()
    opened = umum.get(address(entry))
    hot = {"temperature": "42,5"} | END
    looked = send(umum, entry, "cari", vitals_seen=hidden(opened, "vitals_seen"), **hot)
    assert looked.status_code == 200 and 'data-rule="VITAL-temperature"' in text_of(looked)
    asked = send(umum, entry, "selesai", vitals_seen=hidden(looked, "vitals_seen"), **hot)
    assert asked.status_code == 422
    # Another look in between does not ask again.
    looked = send(umum, entry, "cari", vitals_seen=hidden(asked, "vitals_seen"), **hot)
    ended = send(umum, entry, "selesai", vitals_seen=hidden(looked, "vitals_seen"), **hot)
    assert ended.status_code == 303


def test_a_correction_asks_once_about_the_values_that_it_changes(sign_in):
    umum, done = sign_in("umum"), finished()  # 210 / 80, as it was measured
    heavy = {"weight_1": "154,2"}
    asked = correct(umum, done, **heavy)
    page = text_of(asked)
    assert asked.status_code == 422 and stored() == []
    assert 'href="#f-weight_1">Berat badan 154,2 tidak lazim' in page
    assert 'href="#f-systolic_1"' not in page and "kirim pembetulan ini sekali lagi" in page
    seen = hidden(asked, "vitals_seen")
    other = correct(umum, done, weight_1="160", vitals_seen=seen)
    assert other.status_code == 422 and stored() == []
    assert correct(umum, done, **heavy, vitals_seen=seen).status_code == 303
    assert len(stored()) == 1


def test_a_correction_of_one_pressure_is_judged_with_the_other(sign_in):
    umum, done = sign_in("umum"), finished()
    page = text_of(correct(umum, done, systolic_1="80", diastolic_1="210"))
    assert "harus 10 sampai 200 mmHg" in page  # what cannot be stays said
    asked = correct(umum, done, systolic_1="75")
    assert asked.status_code == 422 and "Mungkin tertukar" in text_of(asked)
    assert correct(umum, done, plan="lain").status_code == 303, "what stands is not asked about"


def test_a_correction_in_pregnancy_is_judged_by_its_limits(sign_in):
    entry, kia = served("KIA", by="kia", pregnant="ya"), sign_in("kia")
    kia.get(address(entry))
    assert send(kia, entry, "selesai", fetal_heart="140", **PREGNANT).status_code == 303
    done = examination(entry)
    form = {"patient": done.visit.patient.public_id, "version": str(done.version)}
    form |= {"aksi": "simpan", "room_form": "hamil", "reason": "salah ketik", "vitals_1": ""}
    form |= {"systolic_1": "150", "diastolic_1": "95", "fetal_heart": "100"}
    place = f"/pemeriksaan/{done.public_id}/pembetulan"
    asked = post(kia, place, form)
    assert asked.status_code == 422
    assert 'href="#f-systolic_1"' in text_of(asked) and 'href="#f-fetal_heart"' in text_of(asked)
    assert post(kia, place, form | {"vitals_seen": hidden(asked, "vitals_seen")}).status_code == 303
