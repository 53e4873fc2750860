"""Asked at the counter: is this the patient? Each answer, its memory, and the comparison."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import days, pairs, patients
from db import db, transaction
from models import (
    DatePrecision,
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientVersion,
    RegistrationDraft,
    SuspectedPair,
    Visit,
)
from tests import factories
from tests.pages import post, text_of
from tests.stored import count, draft_row

BORN = date(1985, 8, 17)
# The same woman as SITI below, typed without her card and with a slip.
TYPED = {
    "no_nik_reason": "LUPA_KARTU",
    "name": "St. Aminnah Rahayu",
    "sex": "P",
    "birth_date": "17-08-1985",
    "address": "Jalan Melati 3",
    "village": "Tirta Alur",
    "phone": "081234567890",
    "complaint": "demam dan batuk",
    "poli": "UMUM",
}
NEW = "/pendaftaran/baru"


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


@pytest.fixture
def siti(app):
    nik = factories.nik(BORN, "P", 77)
    return factories.patient("Siti Aminah Rahayu", birth_date=BORN, nik=nik)


def send(clerk, url=NEW, **changes) -> str:
    """A valid form; the address of its check page."""
    response = post(clerk, url, TYPED | changes)
    assert response.status_code == 303, text_of(response)
    assert "/pendaftaran/periksa/" in response.location
    return response.location


def confirm(clerk, check, **more):
    page = text_of(clerk.get(check))
    fields = re.findall(r'name="(version|ditanya)" value="([^"]+)"', page)
    asked = [value for name, value in fields if name == "ditanya"]
    return post(clerk, check, {"version": dict(fields)["version"], "ditanya": asked, **more})


def saved(response) -> Visit:
    assert response.status_code == 303, text_of(response)
    assert "/tiket/" in response.location, response.location
    ref = response.location.rsplit("/", 1)[-1]
    return db.session.scalars(select(Visit).where(Visit.public_id == ref)).one()


def answer(patient, how="beda") -> dict[str, str]:
    return {f"jawab-{patient.public_id}": how}


def answer_all(clerk, check) -> dict[str, str]:
    refs = re.findall(r'name="ditanya" value="([^"]+)"', text_of(clerk.get(check)))
    return {f"jawab-{ref}": "beda" for ref in refs}


def this_is(patient) -> dict[str, str]:
    return {"aksi": f"ini:{patient.public_id}"}


def pair() -> SuspectedPair:
    return db.session.scalars(select(SuspectedPair)).one()


def level_of(page: str, patient) -> str:
    """How the page marks this patient; empty if it does not show it."""
    found = re.search(rf'data-patient="{patient.public_id}" data-level="(\w+)"', page)
    return found[1] if found else ""


# --- Strong ones interrupt ---------------------------------------------------------------------


def test_a_strong_match_must_be_answered_and_one_reason_for_all_is_no_answer(clerk, siti):
    check = send(clerk)
    page = text_of(clerk.get(check))
    assert level_of(page, siti) == "strong"
    assert f'name="ditanya" value="{siti.public_id}"' in page
    for reasons in ({}, {"override_reason": "sudah saya tanyakan"}):
        refused = confirm(clerk, check, **reasons)
        assert refused.status_code == 422
        assert f'href="#jawab-{siti.public_id}"' in text_of(refused)
        assert f'id="jawab-{siti.public_id}"' in text_of(refused)
    assert count(Visit) == 0
    assert saved(confirm(clerk, check, **answer(siti))).patient_id != siti.id


def test_what_was_ticked_and_written_survives_a_refused_save(clerk, siti):
    twin = factories.patient("Siti Aminah Rahayu", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    check = send(clerk, poli="LAB", complaint="cek darah")
    more = {"override_reason-W8": "diminta dokter"} | answer(siti, "ragu")
    refused = confirm(clerk, check, **more)
    page = text_of(refused)
    assert refused.status_code == 422
    assert "diminta dokter" in page
    assert re.search(rf'id="jawab-{siti.public_id}-ragu"[^>]* checked', page)
    assert f'href="#jawab-{siti.public_id}"' not in page
    assert f'href="#jawab-{twin.public_id}"' in page


def test_the_save_asks_about_those_the_check_page_asked_about_only(clerk, siti, monkeypatch):
    """Nobody is looked for in the save: what the page asked, and the form noted, is all."""
    check = send(clerk)
    clerk.get(check)
    monkeypatch.setattr("clinic.search.likely", None)
    assert saved(post(clerk, check, {"version": "1"} | answer(siti)))


def test_whom_the_check_page_found_later_must_be_answered_too(clerk):
    check = send(clerk)
    late = factories.patient("Siti Aminah Rahayu", birth_date=BORN)
    assert late.public_id not in draft_row().answers
    assert confirm(clerk, check).status_code == 422
    assert saved(confirm(clerk, check, **answer(late)))


def test_a_match_that_is_no_more_strong_is_still_answered_where_it_was_asked(clerk, siti):
    check = send(clerk)
    with transaction():
        identity = patients.identity_of(db.session.get_one(Patient, siti.id))
        other = patients.Identity(**vars(identity) | {"name": "Ketut Ngurah", "sex": "L"})
        patients.update(factories.actor(), db.session.get_one(Patient, siti.id), other, "salah")
    assert level_of(text_of(clerk.get(check)), siti) == "strong"
    assert confirm(clerk, check).status_code == 422
    assert saved(confirm(clerk, check, **answer(siti)))


def test_a_possible_match_may_stay_unanswered(clerk):
    known = factories.patient("Siti Aminah Rahayu", birth_date=date(1985, 8, 27), village="Lain")
    assert level_of(text_of(post(clerk, "/pendaftaran/mirip", TYPED)), known) == "possible"
    check = send(clerk)
    page = text_of(clerk.get(check))
    assert level_of(page, known) == "possible"
    assert 'name="ditanya"' not in page
    assert saved(confirm(clerk, check))
    assert count(SuspectedPair) == 0
    again = send(clerk, phone="", village="Lain lagi", **answer(known, "ragu"))
    saved(confirm(clerk, again, **answer_all(clerk, again)))
    assert known.id in {row.first_id for row in db.session.scalars(select(SuspectedPair))}


def test_a_corrected_form_asks_about_nobody_any_more(clerk, siti):
    check = send(clerk)
    assert draft_row().answers == {siti.public_id: ""}
    draft = check.rsplit("/", 1)[-1]
    send(clerk, draft=draft, name="Ketut Ngurah", birth_date="02-03-1950", phone="")
    assert draft_row().answers == {}
    assert saved(confirm(clerk, check))


# --- Remembered --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "state"), [("beda", PairState.DIFFERENT), ("ragu", PairState.OPEN)]
)
def test_an_answer_becomes_a_pair_in_the_same_save(clerk, siti, how, state):
    visit = saved(confirm(clerk, send(clerk), **answer(siti, how)))
    row = pair()
    assert (row.first_id, row.second_id) == (siti.id, visit.patient_id)
    assert (row.state, row.source, row.level) == (state, PairSource.COUNTER, "strong")
    assert "tanggal lahir sama" in row.reasons
    assert pairs.count_open() == (how == "ragu")


def test_an_answer_given_on_the_form_needs_no_second_one(clerk, siti):
    check = send(clerk, **answer(siti))
    page = text_of(clerk.get(check))
    assert re.search(rf'id="jawab-{siti.public_id}"[^>]* checked', page)
    assert saved(confirm(clerk, check))
    assert pair().state == PairState.DIFFERENT


def test_saving_twice_notes_one_pair(clerk, siti):
    check = send(clerk, **answer(siti))
    first = post(clerk, check, {"version": "1"})
    assert post(clerk, check, {"version": "1"}).location == first.location
    assert (count(SuspectedPair), count(Visit)) == (1, 1)


def test_different_is_remembered_at_the_next_visit(clerk, siti):
    other = saved(confirm(clerk, send(clerk), **answer(siti))).patient
    url = f"/pendaftaran/pasien/{other.public_id}"
    assert siti.public_id not in text_of(clerk.get(url))
    fragment = post(clerk, "/pendaftaran/mirip", TYPED | {"patient": other.public_id})
    assert siti.public_id not in text_of(fragment)
    check = send(clerk, url, poli="GIGI", complaint="sakit gigi")
    assert siti.public_id not in text_of(clerk.get(check))
    assert saved(confirm(clerk, check)).patient_id == other.id
    # and from the other side
    url = f"/pendaftaran/pasien/{siti.public_id}"
    assert other.public_id not in text_of(clerk.get(url))


def test_what_waits_for_the_records_staff_is_not_asked_again(clerk, siti):
    other = saved(confirm(clerk, send(clerk), **answer(siti, "ragu"))).patient
    url = f"/pendaftaran/pasien/{other.public_id}"
    page = text_of(clerk.get(url))
    assert re.search(rf'id="jawab-{siti.public_id}-ragu"[^>]* checked', page)
    assert saved(confirm(clerk, send(clerk, url, poli="GIGI", complaint="sakit gigi")))
    assert pair().state == PairState.OPEN


def test_answers_stay_when_the_panel_is_refreshed_and_when_going_back(clerk, siti):
    ticked = rf'id="jawab-{siti.public_id}-ragu"[^>]* checked'
    fragment = text_of(post(clerk, "/pendaftaran/mirip", TYPED | answer(siti, "ragu")))
    assert re.search(ticked, fragment)
    refused = post(clerk, NEW, TYPED | answer(siti, "ragu") | {"poli": ""})
    assert re.search(ticked, text_of(refused))

    check = send(clerk)
    back = post(clerk, check, {"aksi": "kembali"} | answer(siti, "ragu"))
    assert back.location.startswith(f"{NEW}?draf=")
    assert re.search(ticked, text_of(clerk.get(back.location)))
    assert re.search(ticked, text_of(clerk.get(check)))
    assert draft_row().version == 1
    assert saved(confirm(clerk, check))


def test_answers_about_nobody_are_no_obstacle(clerk):
    nobody = "01a213b4-86d9-715f-ba15-859a2415abf1"
    junk = {f"jawab-{nobody}": "beda", "jawab-x": "beda", f"jawab-{nobody[:-1]}2": "apa saja"}
    assert saved(confirm(clerk, send(clerk, **junk), **junk))
    assert count(SuspectedPair) == 0
    assert post(clerk, NEW, TYPED | {"aksi": f"ini:{nobody}"}).status_code == 404


# --- The comparison ----------------------------------------------------------------------------


def compare(clerk, siti, **changes):
    """From the form to the comparison: its address and its page."""
    response = post(clerk, NEW, TYPED | this_is(siti) | changes)
    assert response.status_code == 303
    assert f"/{siti.public_id}?dari=isian" in response.location
    return response.location, text_of(clerk.get(response.location))


def hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'name="(version|patient_version|dari)" value="([^"]*)"', page)
    return dict(fields)


def test_this_is_the_patient_goes_on_with_that_record(clerk, siti):
    address, page = compare(clerk, siti)
    assert siti.mrn in page
    assert 'name="pilih-name"' in page
    assert 'name="pilih-birth"' not in page
    assert "Jalan Melati 3" in page
    assert "Jalan Kenanga 12" in page
    picks = {"pilih-name": "catatan", "pilih-address": "ketik"}
    answered = post(clerk, address.partition("?")[0], hidden(page) | picks)
    check = answered.location
    assert "/pendaftaran/periksa/" in check
    visit = saved(confirm(clerk, check))
    assert visit.patient_id == siti.id
    assert visit.complaint == "demam dan batuk"
    db.session.refresh(siti)
    assert (siti.name, siti.address) == ("Siti Aminah Rahayu", "Jalan Melati 3")
    assert siti.phone.endswith("81234567890")  # the record had none
    assert siti.nik
    assert count(Patient) == 1
    assert "address" in db.session.scalars(select(PatientVersion)).one().before


def test_the_other_record_of_the_same_person_goes_to_the_records_staff(clerk, siti):
    double = factories.patient("Siti Aminah Rahayu", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    address, page = compare(clerk, siti, **answer(double, "ragu"))
    check = post(clerk, address.partition("?")[0], hidden(page)).location
    assert saved(confirm(clerk, check)).patient_id == siti.id
    row = pair()
    assert (row.first_id, row.second_id, row.state) == (siti.id, double.id, PairState.OPEN)


def test_after_the_choice_those_are_asked_about_whom_that_record_resembles(clerk, siti):
    double = factories.patient("Siti Aminah Rahayu", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    known = factories.patient("Siti Aminah Rahayu", birth_date=BORN, no_nik_reason="LUPA_KARTU")
    with transaction():
        ones = [db.session.merge(one) for one in (siti, known)]
        pairs.note(factories.actor(), *ones, PairState.DIFFERENT, source=PairSource.RECORDS)
    address, page = compare(clerk, siti)
    check = post(clerk, address.partition("?")[0], hidden(page)).location
    assert draft_row().answers == {double.public_id: ""}
    assert post(clerk, check, {"version": "2"}).status_code == 422
    assert saved(post(clerk, check, {"version": "2"} | answer(double)))


def test_a_half_filled_form_loses_nothing_on_the_way(clerk, siti):
    typed = {"birth_date": "40-13-1985", "address": "", "poli": "", "complaint": "pusing sekali"}
    address, page = compare(clerk, siti, **typed)
    assert "40-13-1985" in page
    answered = post(clerk, address.partition("?")[0], hidden(page))
    assert answered.status_code == 303
    check = clerk.get(answered.location)
    assert check.status_code == 303  # to the form: there is no room yet
    form = text_of(clerk.get(check.location))
    assert check.location.startswith(f"/pendaftaran/pasien/{siti.public_id}")
    assert "pusing sekali" in form
    assert 'value="17-08-1985"' in form


def test_back_from_the_comparison_to_the_half_filled_form(clerk, siti):
    address, page = compare(clerk, siti, poli="", address="", complaint="pusing sekali")
    url = address.partition("?")[0]
    for how, suffix in (("beda", ""), ("ragu", "-ragu")):
        back = post(clerk, url, hidden(page) | {"aksi": how})
        form = text_of(clerk.get(back.location))
        assert back.location.startswith(NEW)
        assert "pusing sekali" in form
        assert re.search(rf'id="jawab-{siti.public_id}{suffix}"[^>]* checked', form)


def test_from_the_check_page_and_back(clerk, siti):
    check = send(clerk)
    answered = post(clerk, check, this_is(siti))
    assert answered.location.endswith("?dari=periksa")
    page = text_of(clerk.get(answered.location))
    back = post(clerk, answered.location.partition("?")[0], hidden(page) | {"aksi": "beda"})
    assert back.location == check
    assert saved(confirm(clerk, check)).patient_id != siti.id


def test_a_comparison_of_something_that_changed_meanwhile_is_shown_again(clerk, siti):
    address, page = compare(clerk, siti)
    with transaction():
        mine = db.session.get_one(Patient, siti.id)
        identity = patients.Identity(**vars(patients.identity_of(mine)) | {"address": "Jalan X 9"})
        patients.update(factories.actor(), mine, identity, "pindah rumah")
    stale = post(clerk, address.partition("?")[0], hidden(page) | {"pilih-name": "ketik"})
    assert stale.status_code == 409
    assert "baru saja diubah" in text_of(stale)
    assert "Jalan X 9" in text_of(stale)
    assert re.search(r'id="pilih-name-ketik"[^>]* checked', text_of(stale))


def test_an_age_that_fits_the_known_date_is_no_difference(clerk, siti):
    years = str(days.clinic_date().year - 1985 - ((days.clinic_date().month, 1) < (8, 18)))
    _, page = compare(clerk, siti, birth_date="", birth_date_estimated=years)
    assert 'name="pilih-birth"' not in page


def test_a_whole_date_counts_before_a_guess(clerk):
    guess = factories.patient(
        "Siti Aminah Rahayu",
        birth_date=date(1985, 1, 1),
        birth_precision=DatePrecision.YEAR,
        no_nik_reason=NoNikReason.NO_PAPERS,
    )
    _, page = compare(clerk, guess)
    assert re.search(r'id="pilih-birth-ketik"[^>]* checked', page)


def test_niks_are_masked_but_for_the_digits_of_a_slip(clerk, siti):
    slip = siti.nik[:8] + ("09" if siti.nik[8:10] != "09" else "07") + siti.nik[10:]
    _, page = compare(clerk, siti, nik=slip, no_nik_reason="", birth_date="")
    assert siti.nik not in page
    assert slip not in page
    shown = re.findall(r"\d{6}[\d•]{6}\d{4}", page)
    assert siti.nik[9] in {text[9] for text in shown}
    other = "3171011203700001"
    _, page = compare(clerk, siti, nik=other, no_nik_reason="")
    assert {text[6:12] for text in re.findall(r"\d{6}[\d•]{6}\d{4}", page)} == {"••••••"}


def test_a_saved_draft_is_compared_no_more(clerk, siti):
    address, _ = compare(clerk, siti)
    check = address.replace("/banding/", "/periksa/").rpartition("/")[0]
    ticket = confirm(clerk, check, **answer(siti)).location
    assert clerk.get(address).location == ticket
    assert post(clerk, address.partition("?")[0], {}).location == ticket
    assert clerk.get(f"/pendaftaran/banding/x/{siti.public_id}").status_code == 404


def test_hostile_names_on_both_sides(clerk):
    bad = "<script>alert(1)</script> & 'Siti'"
    known = factories.patient(bad, birth_date=BORN)
    address, page = compare(clerk, known, name=f"{bad}\u0000 x", address='"><img src=x onerror=1>')
    raw = clerk.get(address).get_data(as_text=True)
    assert "<script>alert(1)" not in raw
    assert "<img src=x" not in raw
    assert bad in page
    fragment = post(clerk, "/pendaftaran/mirip", TYPED | {"name": bad}).get_data(as_text=True)
    assert level_of(fragment, known)
    assert "<script>alert(1)" not in fragment


# --- One NIK -----------------------------------------------------------------------------------


def test_the_same_nik_under_another_name_opens_the_comparison(clerk, siti):
    check = send(clerk, nik=siti.nik, no_nik_reason="", name="Made Sukerti")
    page = text_of(clerk.get(check))
    assert "Orang yang sama?" in page
    assert 'data-rule="NIK-TAKEN" data-level="error"' in page
    assert "Made Sukerti" in page
    assert "Siti Aminah Rahayu" in page
    draft = check.rsplit("/", 1)[-1]
    url = f"/pendaftaran/banding/{draft}/{siti.public_id}"
    assert f'action="{url}"' in page
    assert count(Visit) == 0

    back = post(clerk, url, hidden(page) | {"aksi": "beda"})
    assert back.location == check
    page = text_of(clerk.get(check))
    assert "Periksa kembali" in page
    assert confirm(clerk, check).status_code == 422
    visit = saved(confirm(clerk, check, **{"override_reason-NIK-TAKEN": "NIK lama salah ketik"}))
    assert visit.patient.is_nik_disputed
    row = pair()  # whatever was answered: one number belongs to one person
    assert (row.state, row.second_id) == (PairState.OPEN, visit.patient_id)
    assert "NIK lama salah ketik" in row.note


def test_the_same_nik_name_and_date_is_one_press_from_the_comparison(clerk, siti):
    typed = {"nik": siti.nik, "no_nik_reason": "", "name": siti.name}
    check = send(clerk, **typed)
    page = text_of(clerk.get(check))
    assert "Periksa kembali" in page
    assert 'data-rule="NIK-TAKEN" data-level="error"' in page
    assert f'value="ini:{siti.public_id}"' in page
    assert 'name="ditanya"' not in page  # asked by the warning, not twice
    assert re.findall(r'<button class="btn" autofocus id="ini-[^>]*>([^<]*)', page)[0] == (
        "Ini orangnya"
    )
    assert 'class="btn btn-big btn-secondary"' in page
    refused = confirm(clerk, check, override_reason="sudah saya tanyakan")
    assert refused.status_code == 422 and "pakai catatan itu. Bila" in text_of(refused)
    assert count(Visit) == 0
    url = post(clerk, check, this_is(siti)).location
    answered = post(clerk, url.partition("?")[0], hidden(text_of(clerk.get(url))))
    assert saved(confirm(clerk, answered.location)).patient_id == siti.id


def test_the_same_nik_and_name_with_another_birth_date_opens_the_comparison(clerk, siti):
    typed = {"nik": siti.nik, "no_nik_reason": "", "name": siti.name}
    page = text_of(clerk.get(send(clerk, **typed, birth_date="18-08-1985")))
    assert "Orang yang sama?" in page


def test_a_nik_that_two_claim_goes_to_the_records_staff_without_any_answer(clerk, siti):
    check = send(clerk, nik=siti.nik, no_nik_reason="", name=siti.name)
    visit = saved(confirm(clerk, check, **{"override_reason-NIK-TAKEN": "kartu keduanya sama"}))
    assert (pair().state, pair().second_id) == (PairState.OPEN, visit.patient_id)
    assert "kartu keduanya sama" in pair().note


def test_a_nik_that_joins_the_record_later_is_looked_up_again(clerk, siti):
    late = factories.patient("Wayan Sukerti", no_nik_reason=NoNikReason.FORGOT_CARD)
    url = f"/pendaftaran/pasien/{late.public_id}"
    typed = {"name": late.name, "birth_date": "14-05-1985", "nik": siti.nik}
    fragment = post(clerk, "/pendaftaran/mirip", TYPED | typed | {"patient": late.public_id})
    assert level_of(text_of(fragment), siti) == "strong"
    page = text_of(clerk.get(send(clerk, url, **typed)))
    assert 'data-rule="NIK-TAKEN"' in page
    assert late.mrn in page
    assert siti.mrn in page


def test_whoever_a_colleague_registered_meanwhile_is_asked_about_at_the_save(clerk, sign_in):
    twice = {"name": "Dobel Bersamaan", "birth_date": "01-02-1983"}
    check, theirs = send(clerk, **twice), sign_in("kepala")
    clerk.get(check)
    other = saved(confirm(theirs, send(theirs, **twice))).patient
    stranger = send(theirs, name="Ketut Ngurah", sex="L", birth_date="03-03-1963")
    refused = post(clerk, check, {"version": "1"})
    page = text_of(refused)
    assert refused.status_code == 409
    assert "baru saja didaftarkan di loket lain" in page
    assert level_of(page, other) == "strong"
    assert confirm(clerk, check).status_code == 422
    mine = saved(confirm(clerk, check, **answer(other))).patient
    assert mine.id != other.id
    saved(confirm(theirs, stranger))  # nobody alike: nobody is asked


# --- One card ----------------------------------------------------------------------------------

CARDS = {
    "BPJS-TAKEN": {"bpjs_number": "0002847361958"},
    "PASSPORT-TAKEN": {"passport_no": "AB123456"},
}
STRANGER = {"name": "Kartu Satu", "sex": "L", "birth_date": "04-04-1960", "village": "Jauh"}


@pytest.fixture(params=CARDS)
def borrowed(request, app):
    """A rule, its card, and whose it is: a woman whom the man who shows it resembles in nothing."""
    rule = request.param
    owner = factories.patient("Wati Laina", birth_date=date(1999, 9, 9), **CARDS[rule])
    return rule, CARDS[rule], owner


def test_a_card_of_somebody_else_is_asked_about_and_wants_a_reason(clerk, borrowed):
    rule, card, owner = borrowed
    fragment = text_of(post(clerk, "/pendaftaran/mirip", TYPED | STRANGER | card | {"name": ""}))
    assert level_of(fragment, owner) == "strong"
    check = send(clerk, **STRANGER | card)
    page = text_of(clerk.get(check))
    assert f'data-rule="{rule}" data-level="warning"' in page
    assert f"Wati Laina (No. RM {owner.mrn})" in page
    assert f'value="ubah:{next(iter(card))}"' in page
    assert level_of(page, owner) == "strong"
    refused = confirm(clerk, check, **answer(owner))
    assert refused.status_code == 422
    assert f'href="#f-override_reason-{rule}"' in text_of(refused)
    reason = {f"override_reason-{rule}": "kartu istrinya, miliknya belum dibawa"}
    visit = saved(confirm(clerk, check, **answer(owner, "ragu"), **reason))
    assert pair().state is PairState.OPEN
    assert visit.patient_id != owner.id


def test_who_came_with_the_shared_card_before_is_only_reminded(clerk, borrowed):
    rule, card, owner = borrowed
    known = factories.patient("Kartu Satu", sex="L", birth_date=date(1960, 4, 4), **card)
    typed = STRANGER | card | {"no_nik_reason": "", "nik": known.nik}
    check = send(clerk, f"/pendaftaran/pasien/{known.public_id}", **typed)
    page = text_of(clerk.get(check))
    assert f'data-rule="{rule}" data-level="info"' in page
    assert "Bila salah, betulkan di data pasien" in page
    assert "atau tulis alasannya" not in page
    assert level_of(page, owner) == "strong"
    saved(confirm(clerk, check, **answer(owner)))
    again = send(clerk, f"/pendaftaran/pasien/{known.public_id}", **typed | {"poli": "GIGI"})
    assert not level_of(text_of(clerk.get(again)), owner)


def test_a_card_that_only_one_has_is_not_asked_about(clerk, borrowed):
    rule, card, owner = borrowed
    own = {"name": owner.name, "birth_date": "09-09-1999", "sex": "P"} | card
    check = send(clerk, f"/pendaftaran/pasien/{owner.public_id}", **own)
    assert rule not in text_of(clerk.get(check))


def test_a_newborn_with_the_mothers_card_is_warned_about_and_not_taken_for_her(clerk):
    card = CARDS["BPJS-TAKEN"]
    mother = factories.patient("Rukmini", birth_date=date(1995, 7, 5), **card)
    page = text_of(clerk.get(send(clerk, **newborn("1") | {"name": "By Ny Rukmini"} | card)))
    assert 'data-rule="BPJS-TAKEN"' in page
    assert not level_of(page, mother)


# --- A record that was taken back with its import ----------------------------------------------


def withdraw(patient) -> None:
    with transaction():
        db.session.get_one(Patient, patient.id).is_active = False


def test_a_withdrawn_record_opens_no_form(clerk, siti):
    withdraw(siti)
    answered = clerk.get(f"/pendaftaran/pasien/{siti.public_id}")
    assert answered.location == "/pendaftaran"
    assert f"RM {siti.mrn} sudah ditarik dari impor" in text_of(clerk.get("/pendaftaran"))
    assert "ditarik dari impor" in text_of(clerk.get(f"/pasien/{siti.public_id}"))


def test_a_form_of_a_record_withdrawn_meanwhile_goes_on_as_somebody_new(clerk, siti):
    url = f"/pendaftaran/pasien/{siti.public_id}"
    clerk.get(url)
    withdraw(siti)
    refused = post(clerk, url, TYPED)
    assert refused.status_code == 409
    page = text_of(refused)
    assert "sudah ditarik dari impor" in page
    assert 'value="Jalan Melati 3"' in page
    draft = draft_row().public_id
    on = clerk.get(f"{url}?draf={draft}")
    assert on.location == f"/pendaftaran/baru?draf={draft}"
    page = text_of(clerk.get(on.location))
    assert "sudah ditarik dari impor" in page
    assert 'value="Jalan Melati 3"' in page
    visit = saved(confirm(clerk, send(clerk, draft=draft)))
    assert visit.patient_id != siti.id
    assert count(RegistrationDraft) == 1


def test_a_record_withdrawn_after_the_check_is_not_registered(clerk, siti):
    check = send(clerk, f"/pendaftaran/pasien/{siti.public_id}")
    version = {"version": re.search(r'"version" value="(\d+)"', text_of(clerk.get(check)))[1]}
    withdraw(siti)
    refused = post(clerk, check, version | {"override_reason": "sudah ditanyakan"})
    assert refused.status_code == 409
    assert "sudah ditarik dari impor" in text_of(refused)
    assert count(Visit) == 0
    back = post(clerk, check, version | {"aksi": "kembali"})
    assert "Jalan Melati 3" in text_of(clerk.get(back.location, follow_redirects=True))


# --- Without a card ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ({"no_nik_reason": "LUPA_KARTU"}, "NIK belum ada (lupa kartu). Minta KTP"),
        ({"no_nik_reason": "TIDAK_DIKENAL", "birth_date": None}, "tanggal lahir belum ada"),
        ({"birth_precision": DatePrecision.YEAR}, "tanggal lahir masih perkiraan"),
        ({"no_nik_reason": "ASING"}, "nomor paspor belum ada"),
    ],
)
def test_the_next_visit_asks_for_what_is_missing(clerk, identity, words):
    known = factories.patient("Ketut Ngurah", **identity)
    page = text_of(clerk.get(f"/pendaftaran/pasien/{known.public_id}"))
    assert "Identitas belum lengkap" in page
    assert words in page
    assert '<details id="identitas" open>' in page


@pytest.mark.parametrize("identity", [{}, {"no_nik_reason": "ASING", "passport_no": "X1234567"}])
def test_a_whole_identity_is_not_asked_for(clerk, identity):
    known = factories.patient("Ketut Ngurah", **identity)
    page = text_of(clerk.get(f"/pendaftaran/pasien/{known.public_id}"))
    assert "Identitas belum lengkap" not in page
    assert '<details id="identitas">' in page


def test_a_missing_nik_does_not_stop_the_next_visit(clerk):
    known = factories.patient("Ketut Ngurah", no_nik_reason="LUPA_KARTU")
    url = f"/pendaftaran/pasien/{known.public_id}"
    typed = {"name": "Ketut Ngurah", "birth_date": "14-05-1985"}
    assert saved(confirm(clerk, send(clerk, url, **typed))).patient_id == known.id
    nik = factories.nik(date(1985, 5, 14), "P", 901)
    again = {"nik": nik, "poli": "GIGI", "complaint": "sakit gigi"}
    saved(confirm(clerk, send(clerk, url, **typed | again)))
    db.session.refresh(known)
    assert (known.nik, known.no_nik_reason) == (nik, None)


def newborn(order: str, **more) -> dict[str, str]:
    born = days.clinic_date() - timedelta(days=2)
    return {
        "no_nik_reason": "BAYI",
        "mother_nik": factories.nik(date(1990, 3, 4), "P", 5),
        "birth_order": order,
        "name": "By Ny Nurhayati",
        "mother_name": "Nurhayati",
        "birth_date": f"{born:%d-%m-%Y}",
        "poli": "MTBS",
        **more,
    }


def test_twins_are_a_hint_and_the_mother_is_no_match(clerk):
    mother = factories.patient(
        "Nurhayati", birth_date=date(1990, 3, 4), nik=factories.nik(date(1990, 3, 4), "P", 5)
    )
    first = saved(confirm(clerk, send(clerk, **newborn("1")), override_reason="bayi baru")).patient
    page = text_of(post(clerk, "/pendaftaran/mirip", TYPED | newborn("2")))
    assert level_of(page, first) == "household"
    assert "Satu keluarga, mungkin kembar/saudara" in page
    assert mother.public_id not in page
    check = send(clerk, **newborn("2"))
    page = text_of(clerk.get(check))
    assert level_of(page, first) == "household"
    assert mother.public_id not in page
    second = saved(confirm(clerk, check, override_reason="bayi baru")).patient
    assert second.id != first.id
    assert count(SuspectedPair) == 0
    # The same twin once more is somebody we have.
    again = text_of(post(clerk, "/pendaftaran/mirip", TYPED | newborn("1")))
    assert level_of(again, first) in ("strong", "possible")


# --- The mother's NIK in the baby's field ------------------------------------------------------

MOTHER_BORN = date(1995, 7, 5)
MOTHERS_NIK = factories.nik(MOTHER_BORN, "P", 61)
ITS_MOTHERS = 'value="nik_ibu"'


def with_mothers_nik(**more) -> dict[str, str]:
    own = {"name": "By Ny Rukmini", "mother_name": "", "no_nik_reason": "", "mother_nik": ""}
    return TYPED | newborn("") | own | {"nik": MOTHERS_NIK} | more


@pytest.mark.parametrize("is_registered", [True, False])
def test_the_mothers_nik_moves_to_its_field_by_one_press_on_the_check_page(clerk, is_registered):
    if is_registered:
        factories.patient("Rukmini", birth_date=MOTHER_BORN, nik=MOTHERS_NIK)
    check = send(clerk, **with_mothers_nik())
    page = text_of(clerk.get(check))
    assert 'data-rule="NIK-MOTHER" data-level="error"' in page
    assert ITS_MOTHERS in page
    assert "NIK-DATE" not in page
    assert "Pakai dari NIK" not in page
    assert confirm(clerk, check).status_code == 422
    assert post(clerk, check, {"aksi": "nik_ibu", "version": "1"}).location == check
    assert 'data-rule="NO-BIRTH-ORDER"' in text_of(clerk.get(check))
    draft = check.rsplit("/", 1)[-1]
    fields = draft_row().fields
    assert "nik" not in fields
    assert (fields["mother_nik"], fields["no_nik_reason"]) == (MOTHERS_NIK, "BAYI")
    assert fields.get("mother_name", "") == ("Rukmini" if is_registered else "")
    check = send(clerk, **fields | {"birth_order": "1", "draft": draft, "nik": ""})
    assert "NIK-MOTHER" not in text_of(clerk.get(check))
    baby = saved(confirm(clerk, check, override_reason="bayi baru")).patient
    assert (baby.nik, baby.mother_nik, baby.no_nik_reason) == (None, MOTHERS_NIK, "BAYI")
    assert not baby.is_nik_disputed


def test_the_mothers_nik_moves_by_one_press_on_the_form_too(clerk):
    for typed in (with_mothers_nik(), {"name": "Bayi Rukmini", "nik": MOTHERS_NIK}):
        panel = text_of(post(clerk, "/pendaftaran/mirip", typed))
        assert ITS_MOTHERS in panel
        assert "pakai_nik" not in panel
        form = text_of(post(clerk, NEW, typed | {"aksi": "nik_ibu"}))
        assert re.search(rf'name="mother_nik" value="{MOTHERS_NIK}"', form)
        assert re.search(r'name="nik" value=""', form)
        assert re.search(r'<option value="BAYI" selected', form)
        assert typed["name"] in form


@pytest.mark.parametrize(
    ("changes", "is_hers", "is_offered"),
    [
        ({"nik": factories.nik(MOTHER_BORN, "L", 61)}, False, False),  # the father's
        ({"name": "Ayu", "birth_date": "", "birth_date_estimated": "3 tahun"}, False, False),
        ({"name": "Ayu", "birth_date": "", "birth_date_estimated": "2 bulan"}, True, False),
        ({"name": "Ayu", "birth_date": "05-07-1994"}, False, True),
        ({"name": "Bayi Ayu", "birth_date": "05-07-1994"}, False, True),
        ({"name": "Ayu", "birth_date": ""}, False, True),
    ],
)
def test_only_of_an_infant_it_is_the_mothers_and_no_child_becomes_an_adult(
    clerk, changes, is_hers, is_offered
):
    panel = text_of(post(clerk, "/pendaftaran/mirip", with_mothers_nik(**changes)))
    assert (ITS_MOTHERS in panel) == is_hers
    assert ("pakai_nik" in panel) == is_offered


def test_a_registered_mother_is_known_whatever_her_nik_says(clerk):
    odd = factories.nik(date(2025, 7, 5), "P", 62)  # as printed on her card
    factories.patient("Rukmini", birth_date=MOTHER_BORN, nik=odd, is_nik_as_printed=True)
    panel = text_of(post(clerk, "/pendaftaran/mirip", with_mothers_nik(nik=odd)))
    assert ITS_MOTHERS in panel


# --- Somebody unknown turns out to be known ----------------------------------------------------


def test_completing_an_unknown_person_who_is_known_moves_the_visit(clerk, siti):
    key = "0198c7f2-0000-7000-8000-000000000001"
    urgent = {"draft": key, "sex": "P", "complaint": "tidak sadar", "name": ""}
    ticket = post(clerk, "/pendaftaran/gawat", urgent).location
    visit = ticket.rsplit("/", 1)[-1]
    url = f"/pendaftaran/kunjungan/{visit}/identitas"
    moving = f"/pendaftaran/kunjungan/{visit}/ubah?pasien={siti.public_id}"
    assert post(clerk, url, TYPED | this_is(siti)).location == moving
    check = send(clerk, url)
    assert level_of(text_of(clerk.get(check)), siti) == "strong"
    assert confirm(clerk, check).status_code == 422
    assert post(clerk, check, this_is(siti)).location == moving
    assert siti.public_id in text_of(clerk.get(moving))

    taken = send(clerk, url, nik=siti.nik, no_nik_reason="", name="Made Sukerti")
    page = text_of(clerk.get(taken))
    assert "pindahkan kunjungan" in page
    compare_url = re.search(r'action="(/pendaftaran/banding/[^"]+)"', page)[1]
    assert post(clerk, compare_url, hidden(page)).location == moving
    change = {"aksi": "ganti_pasien", "patient": siti.public_id, "alasan_pasien": "dikenali"}
    assert post(clerk, moving.partition("?")[0], change).location == ticket
    row = db.session.scalars(select(Visit)).one()
    assert row.patient_id == siti.id


def test_a_further_room_is_about_the_same_person(clerk, siti):
    visit = factories.visit(factories.patient("Ketut Ngurah", sex="L"))
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    check = send(clerk, url, poli="GIGI")
    assert siti.public_id not in text_of(clerk.get(check))
    draft = check.rsplit("/", 1)[-1]
    assert clerk.get(f"/pendaftaran/banding/{draft}/{siti.public_id}").status_code == 404


def test_many_matches_and_a_family_stay_within_6_kb(clerk):
    people = [
        factories.patient(
            "Siti Aminah Rahayu", birth_date=BORN, phone="081234567890", village="Tirta Alur"
        )
        for _ in range(8)
    ]
    check = send(clerk, no_nik_reason="", nik=people[0].nik, kk_number="3171010101200001")
    draft = check.rsplit("/", 1)[-1]
    clerk.is_checking = False
    for url in (
        check,
        f"/pendaftaran/banding/{draft}/{people[0].public_id}",
        f"{NEW}?draf={draft}",
        f"/pendaftaran/pasien/{people[1].public_id}?draf={draft}",
    ):
        answered = clerk.get(url, headers={"Accept-Encoding": "gzip"})
        assert answered.status_code == 200
        assert len(answered.data) <= 6 * 1024, (url, len(answered.data))
