"""A form that is not stored is answered by an address, and nothing of it lies on a disk."""

import re
import zlib
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select, text

import kept_answers
from access import PUBLIC
from cli import DEMO_PASSWORD
from clinic import answers, worker
from db import db, transaction, utcnow
from models import AuditEntry, KeptAnswer, LoginSession, RecordAccess
from tests import amending, factories
from tests.pages import login, post
from tests.stored import count
from tests.test_examination import address, served, text_of

TYPED = "Nyeri ulu hati sejak kemarin malam"
SOMEBODY = "Ni Luh Suryani"
REFUSED = {"subjective": TYPED, "pulse": "abc"}


@pytest.fixture
def nurse(sign_in):
    client = sign_in("umum")
    client.is_led = False
    return client


def refuse(client, entry, path="", **options):
    known = {"entry": entry.public_id, "patient": entry.visit.patient.public_id, "version": "0"}
    return post(client, address(entry, path), known | REFUSED, **options)


def kept() -> list[KeptAnswer]:
    db.session.rollback()
    return list(db.session.scalars(select(KeptAnswer)))


def test_a_refused_save_leads_to_the_page_with_what_was_typed(nurse):
    entry = served()
    answer = refuse(nurse, entry, "?antrean=" + entry.public_id)
    assert answer.status_code == 303 and TYPED not in answer.get_data(as_text=True)
    assert answer.location.startswith(address(entry, f"?antrean={entry.public_id}&jawaban="))
    for _ in range(2):  # loading it again shows it again, and asks nobody to send anything
        shown = nurse.get(answer.location)
        assert shown.status_code == 422 and shown.headers["Cache-Control"] == "no-store"
        assert TYPED in text_of(shown) and "Periksa isian berikut" in text_of(shown)


def test_what_its_form_sends_then_leads_on_without_piling_up_keys(nurse):
    entry = served()
    first = refuse(nurse, entry)
    second = refuse(nurse, entry, "?" + first.location.partition("?")[2])
    assert second.location.count("jawaban=") == 1 and second.location != first.location


def test_nobody_else_is_shown_it(nurse, sign_in, client):
    answer = refuse(nurse, served())
    for username in ("kepala", amending.nurse()):
        page = sign_in(username).get(answer.location)
        assert page.status_code == 200 and TYPED not in text_of(page)
    assert client.get(answer.location).status_code == 303, "a stranger is asked to log in"


@pytest.mark.parametrize(
    ("field", "title"), [("idle_until", "Layar terkunci"), ("ended_at", "Masuk")]
)
def test_behind_the_login_it_waits_for_its_author(nurse, app, field, title):
    entry = served()
    with transaction():
        setattr(db.session.scalars(select(LoginSession)).one(), field, utcnow())
    to_login = refuse(nurse, entry, "?antrean=" + entry.public_id)
    assert to_login.status_code == 303 and to_login.location.startswith("/masuk?lanjut=/kunjungan/")
    assert TYPED not in to_login.get_data(as_text=True)
    page = nurse.get(to_login.location).get_data(as_text=True)
    goes_on = unescape(re.search(r'name="lanjut" value="([^"]*)"', page)[1])
    assert f"<h1>{title}</h1>" in page and TYPED not in page
    opened = {"username": "umum", "password": DEMO_PASSWORD, "lanjut": goes_on}
    here = post(nurse, "/masuk", opened).location
    stranger = login(app.test_client(), "kepala")
    assert TYPED not in text_of(stranger.get(here))
    nurse.token = ""
    shown = nurse.get(here)
    assert shown.status_code == 409 and "belum ada yang disimpan" in text_of(shown)
    assert 'class="private"' in shown.text and "Keluar" in shown.text, "whose page it is"
    fields = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', shown.text))
    again = nurse.post(address(entry), data={name: unescape(one) for name, one in fields.items()})
    assert again.status_code == 303, "its token is the new session's"
    assert "Periksa isian berikut" in text_of(nurse.get(again.location))


def test_enter_in_a_search_box_leads_back_to_the_box(nurse):
    entry, done = served(), amending.finished()
    known = {"entry": entry.public_id, "patient": entry.visit.patient.public_id, "version": "0"}
    for box in ("diagnosis_search", "procedure_search", "medicine_search"):
        typed = known | {"aksi": "lanjut", box: "ku"}
        answer = post(nurse, address(entry), typed)
        assert answer.status_code == 303 and answer.location.endswith(f"#f-{box}")
        assert f'id="f-{box}"' in nurse.get(answer.location).text
    assert "#" not in refuse(nurse, entry).location, "its summary has the focus"
    typed = {"aksi": "lanjut", "diagnosis_search": "kencing manis"}
    typed |= {"patient": done.visit.patient.public_id, "version": str(done.version)}
    answer = post(nurse, f"/pemeriksaan/{done.public_id}/pembetulan", typed)
    assert answer.status_code == 303 and answer.location.endswith("#f-diagnosis_search")


def test_what_is_kept_holds_no_token(nurse):
    page = nurse.get(refuse(nurse, served()).location)
    assert nurse.token and nurse.token.encode() in page.data
    assert nurse.token.encode() not in zlib.decompress(kept()[0].page)


def opened_outside_his_rooms(nurse) -> tuple[str, str]:
    """A record opened with a reason, and the address of its page with a refused form."""
    own = f"/pasien/{factories.patient(SOMEBODY).public_id}"
    post(nurse, f"{own}/buka", {"alasan": "Menelepon, minta hasilnya"})
    stood = {"Referer": f"http://localhost{own}"}
    answer = post(nurse, f"{own}/alergi", {"substance": ""}, headers=stood)
    assert answer.location.startswith(f"{own}?jawaban=")
    return own, answer.location


def test_each_time_that_its_page_is_read_is_in_the_trail(nurse):
    _, kept_at = opened_outside_his_rooms(nurse)
    for times in range(3):
        assert count(AuditEntry, AuditEntry.action == "view_record") == times
        assert SOMEBODY in text_of(nurse.get(kept_at))


def test_it_is_shown_as_long_as_the_record_may_be_read(nurse):
    own, kept_at = opened_outside_his_rooms(nurse)
    assert nurse.get(kept_at).status_code == 422
    with transaction():
        db.session.scalars(select(RecordAccess)).one().expires_at = utcnow()
    assert nurse.get(kept_at).status_code == 422, "the browser was on its way"
    with transaction():
        kept()[0].at -= answers.ON_ITS_WAY
    closed = nurse.get(kept_at)
    assert (closed.status_code, text_of(closed)) == (200, text_of(nurse.get(own)))
    assert 'name="alasan"' in text_of(closed)


def test_it_is_shown_at_its_own_address_alone(nurse):
    _, kept_at = opened_outside_his_rooms(nurse)
    other = f"/pasien/{factories.patient('Orang Lain').public_id}"
    for elsewhere in ("/poli/UMUM", "/bantuan", other):
        page = nurse.get(elsewhere + kept_at[kept_at.index("?") :])
        assert page.status_code == 200 and SOMEBODY not in text_of(page), elsewhere


def test_what_an_earlier_version_kept_is_gone(nurse):
    answer = refuse(nurse, served())
    with transaction():
        kept()[0].page = zlib.compress(b"<!doctype html>\n<p>" + TYPED.encode())
    assert nurse.get(answer.location).status_code == 200


def test_it_is_gone_after_an_hour_and_the_address_is_the_pages_own(nurse):
    answer = refuse(nurse, served())
    with transaction():
        kept()[0].at = utcnow() - answers.KEPT
    page = nurse.get(answer.location)
    assert page.status_code == 200 and TYPED not in text_of(page)
    worker.run_once(utcnow() + timedelta(seconds=1))
    assert kept() == []


def test_a_form_without_a_page_of_its_own_leads_to_where_it_stood(nurse):
    entry = served()
    before = f"http://localhost{address(entry)}?antrean={entry.public_id}"
    answer = refuse(nurse, entry, "/ketikan/buang", headers={"Referer": before})
    assert answer.location.startswith("/kunjungan/"), "stored: led by its view"
    other = served()
    fields = {"patient": other.visit.patient.public_id, "entry": entry.public_id, "text": TYPED}
    url = address(entry, "/ketikan/buang")
    answer = post(nurse, url, fields, headers={"Referer": before})
    assert answer.status_code == 303
    assert answer.location.startswith(address(entry, f"?antrean={entry.public_id}&jawaban="))
    assert nurse.get(answer.location).status_code == 409
    for stranger in ("http://example.org/kunjungan/x", "http://localhost/tidak-ada", ""):
        answer = post(nurse, url, fields, headers={"Referer": stranger})
        assert answer.status_code == 409, "no address is known: the page itself"


def test_a_fragment_is_answered_by_itself(nurse):
    assert refuse(nurse, served(), headers={"HX-Request": "true"}).status_code == 422
    assert kept() == []


def test_who_is_no_browser_is_answered_by_the_page_itself(nurse):
    """A script has no history that would write down what it sent, and it looks at the status."""
    entry = served()
    del nurse.environ_base["HTTP_UPGRADE_INSECURE_REQUESTS"]
    answer = refuse(nurse, entry)
    assert answer.status_code == 422 and TYPED in text_of(answer)
    other = {"patient": served().visit.patient.public_id, "entry": entry.public_id, "text": TYPED}
    assert post(nurse, address(entry, "/ketikan/buang"), other).status_code == 409
    right, nurse.token = nurse.token, "lama"
    assert refuse(nurse, entry).status_code == 400
    nurse.token = right
    nurse.delete_cookie("alur")
    assert refuse(nurse, entry).status_code == 401
    assert kept() == []


def test_a_page_that_cannot_be_kept_is_shown_all_the_same(nurse):
    entry = served()
    with transaction():
        db.session.execute(text("ALTER TABLE kept_answer RENAME TO away"))
    try:
        answer = refuse(nurse, entry)
    finally:
        with transaction():
            db.session.execute(text("ALTER TABLE away RENAME TO kept_answer"))
    assert answer.status_code == 422 and TYPED in text_of(answer) and "sent.js" in text_of(answer)


def test_no_page_with_a_secret_is_kept(sign_in):
    head = sign_in("kepala")
    head.is_led = False
    assert post(head, "/sistem/pengguna/baru", {"username": "", "role": "poli"}).status_code == 422
    assert kept() == []


def test_who_may_send_a_form_may_open_the_page_at_its_address(app):
    """Else the answer would be kept where its author may not look."""
    by_path = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in kept_answers.DESKS:
            for method in rule.methods & {"GET", "POST"}:
                by_path.setdefault(rule.rule, {})[method] = app.view_functions[rule.endpoint].access
    both = [ways for ways in by_path.values() if len(ways) == 2]
    assert len(both) > 20
    for path, ways in by_path.items():
        if len(ways) == 2 and ways["GET"] != PUBLIC:
            assert ways["POST"] <= ways["GET"], path
