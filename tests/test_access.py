"""Who may open what, for every route that exists: a new one without a policy fails here."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date, timedelta
from html import unescape
from itertools import islice
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

import access
from cli import DEMO_PASSWORD
from clinic import accounts, administration, days, log_in_tries, queues, settings
from clinic.log_in_tries import AT_A_DEVICE, IN_ALL, Device
from db import db, sqlite_driver, transaction, utcnow
from models import AuditEntry, LoginSession, Role, User
from tests import factories
from tests.pages import TOKEN, login, post, text_of
from tests.stored import count

# Who may open what, and the head's pages, are the same on both databases; the sweep of
# test_hostile_text.py opens them on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")

FULL = "database or disk is full"
STAFF = {
    "loket": Role.REGISTRATION,
    "umum": Role.POLI,
    "rekammedis": Role.RECORDS,
    "kepala": Role.HEAD,
    "ti": Role.OPERATOR,
}
# What a stranger may open; anything else is a decision that belongs into this list.
PUBLIC = {
    "auth.login",
    "auth.enter",
    "auth.lock",
    "auth.logout",
    "board.all_rooms",
    "board.one_room",
    "static",
    "system.healthz",
    "system.help_page",
    "system.keys_page",
    "system.managers_help",
}


HERE = Device("127.0.0.1")
RIGHT = {"username": "loket", "password": DEMO_PASSWORD}
WRONG = RIGHT | {"password": "salah"}


def wait_at(device: Device) -> int:
    return log_in_tries.seconds_to_wait(factories.user("loket"), device)


def routes(app):
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods & {"GET", "POST"})
    ]


def policy(app, rule):
    return getattr(app.view_functions[rule.endpoint], "access", None)


def address(rule) -> str:
    """The route with ids that exist nowhere."""
    known = {"poli": "UMUM", "kode": "UMUM", "code": "UMUM", "aksi": "panggil", "action": "panggil"}
    return re.sub(
        r"<(?:[^:<>]+:)?([^<>]+)>",
        lambda found: known.get(found[1], "1" if "<int" in found[0] else "tidak-ada"),
        rule.rule,
    )


def test_every_route_has_a_policy(app):
    without = [rule.rule for rule, _ in routes(app) if policy(app, rule) is None]
    assert not without
    opened = {rule.endpoint for rule, _ in routes(app) if policy(app, rule) == access.PUBLIC}
    assert opened <= PUBLIC


def test_a_route_without_a_policy_is_open_to_nobody(app, sign_in, monkeypatch):
    head = sign_in("kepala")
    endpoint, _ = app.url_map.bind("").match("/tutup-hari")
    monkeypatch.delattr(app.view_functions[endpoint], "access")
    assert head.get("/tutup-hari").status_code == 403


def test_a_stranger_reaches_nothing_but_what_is_public(app, client):
    for rule, method in routes(app):
        if policy(app, rule) == access.PUBLIC:
            continue
        response = client.open(address(rule), method=method)
        assert response.status_code in (301, 302, 303, 401), (rule.rule, method)
        if method == "GET" and response.status_code == 303:
            assert response.location.startswith("/masuk?lanjut=")


@pytest.mark.parametrize("username", sorted(STAFF))
def test_each_role_reaches_its_routes_and_no_other(app, sign_in, username):
    sign_in("loket")  # the session that "akhiri" ends, of all that are open the first
    client = sign_in(username)
    client.is_checking = False  # what the pages hold is their own tests' business
    role = STAFF[username]
    for rule, method in routes(app):
        allowed = policy(app, rule)
        if allowed in (access.PUBLIC, access.POLLED):
            continue
        answer = post(client, address(rule)) if method == "POST" else client.get(address(rule))
        status = answer.status_code
        if role in allowed:  # what is refused then is what was sent: nothing, or of nobody
            assert status in (200, 303, 404, 409, 422), (rule.rule, method, status)
            assert not (answer.location or "").startswith("/masuk"), rule.rule
        else:
            assert status == 403, (rule.rule, method, status)


def test_the_operator_sees_no_patient(app):
    clinical = ("registration.", "patients.", "examination.", "poli.")
    for rule, _ in routes(app):
        if rule.endpoint.startswith(clinical) and policy(app, rule) != access.POLLED:
            assert Role.OPERATOR not in policy(app, rule), rule.rule


def test_every_post_without_a_token_is_refused(app, client, sign_in):
    """By the missing token itself: it is sent by whoever may send it."""
    senders = {role: sign_in(username) for username, role in STAFF.items()}
    for rule, method in routes(app):
        if method != "POST":
            continue
        allowed = policy(app, rule)
        sender = client if allowed == access.PUBLIC else senders[min(allowed)]
        sender.is_checking = False
        assert sender.post(address(rule)).status_code == 400, rule.rule


def test_no_get_changes_the_database_but_the_audit_trail(app, sign_in):
    entry = factories.entry()
    client = sign_in("kepala")
    client.is_checking = False
    refs = {
        "patient": entry.visit.patient.public_id,
        "visit": entry.visit.public_id,
        "entry": entry.public_id,
    }
    before = dump()
    for rule, method in routes(app):
        if method == "GET":
            url = re.sub(
                r"<(?:[^:<>]+:)?([^<>]+)>",
                lambda found: refs.get(found[1], "UMUM"),
                rule.rule,
            )
            client.get(url)
    assert dump() == before


def dump() -> dict[str, list]:
    """Every row of every table that a page view must leave alone."""
    db.session.rollback()
    rest = {"audit_entry", "counter", "login_session", "kept_answer"}
    return {
        table.name: sorted(map(str, db.session.execute(table.select())))
        for table in db.metadata.sorted_tables
        if table.name not in rest
    }


# --- Rooms ------------------------------------------------------------------------------------


def test_another_rooms_patient_does_not_exist_for_poli_staff(sign_in):
    entry = factories.entry("GIGI")
    dentist, doctor = sign_in("gigi"), sign_in("umum")
    for url in ("/poli/GIGI", f"/kunjungan/{entry.visit.public_id}"):
        assert dentist.get(url).status_code == 200
        assert doctor.get(url).status_code == 404
    assert post(doctor, f"/antrean/{entry.public_id}/panggil").status_code == 404
    assert post(dentist, f"/antrean/{entry.public_id}/panggil").status_code == 303


def test_an_earlier_visit_to_one_of_ones_rooms_asks_for_a_reason_others_do_not_exist(sign_in):
    visit = factories.entry().visit
    with transaction():
        queues.enqueue(factories.actor(), visit, factories.poli("LAB"))
    with transaction():
        days.current_day().on -= timedelta(days=2)
        days.open_day()
    for username in ("umum", "lab"):
        answer = sign_in(username).get(f"/kunjungan/{visit.public_id}")
        assert answer.status_code == 303, username
        assert answer.location.startswith(f"/pasien/{visit.patient.public_id}")
    assert sign_in("gigi").get(f"/kunjungan/{visit.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("username", "path", "action"),
    [
        ("loket", "/pendaftaran/pasien/{patient}", "view_identity"),
        ("loket", "/pendaftaran/kunjungan/{visit}/identitas", "view_identity"),
        ("loket", "/pendaftaran/baru?keluarga={visit}", "view_identity"),
        ("umum", "/kunjungan/{visit}/tanda-vital", "view_vital_signs"),
    ],
)
def test_a_page_that_shows_somebody_notes_who_looked(sign_in, username, path, action):
    visit = factories.visit()
    url = path.format(patient=visit.patient.public_id, visit=visit.public_id)
    assert sign_in(username).get(url).status_code == 200
    found = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()
    assert found.patient_ref == visit.patient.public_id
    assert found.user_id == factories.user(username).id


# --- Log in, sessions -------------------------------------------------------------------------


def test_a_cookie_is_worthless_after_the_logout(app, sign_in):
    client = sign_in("loket")
    cookie = client.get_cookie("alur").value
    assert len(f"alur={cookie}") <= 100
    post(client, "/keluar")
    thief = app.test_client()
    thief.set_cookie("alur", cookie)
    assert thief.get("/pendaftaran").location.startswith("/masuk")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_script_and_no_other_site_gets_the_cookie(client, scheme):
    """And where the connection is encrypted, nobody who listens."""
    typed = {"username": "loket", "password": DEMO_PASSWORD}
    site = f"{scheme}://localhost"
    client.get("/masuk", base_url=site)
    sent = post(client, "/masuk", typed, base_url=site, headers={"Referer": f"{site}/masuk"})
    assert sent.status_code == 303
    (cookie,) = sent.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) is (scheme == "https")


def test_a_new_login_gets_a_new_cookie(app, client):
    """And the one before opens nothing any more."""
    client.get("/masuk")
    before = client.get_cookie("alur").value
    login(client, "loket")
    first = client.get_cookie("alur").value
    login(client, "loket")
    assert len({before, first, client.get_cookie("alur").value}) == 3
    other = app.test_client()
    other.set_cookie("alur", first)
    assert other.get("/pendaftaran").location.startswith("/masuk")


@pytest.mark.engines("sqlite", "postgresql")
def test_tries_that_are_sent_together_do_not_get_round_the_wait(app, client, monkeypatch):
    """The wait is asked for before a passphrase is tried, which takes time, and again after it."""

    def others_fail_meanwhile(user, _typed) -> bool:
        with transaction():
            for _ in range(AT_A_DEVICE.free + 1):
                log_in_tries.note_failure(db.session.get(User, user.id), HERE)
        return True

    client.get("/masuk")
    monkeypatch.setattr(accounts, "matches", others_fail_meanwhile)
    answer = post(client, "/masuk", {"username": "umum", "password": "x"})
    assert answer.status_code == 422
    assert "Terlalu banyak percobaan. Tunggu" in answer.get_data(as_text=True)
    assert client.get("/poli").status_code == 303, "nobody is in"


def test_of_many_log_ins_at_once_few_hold_a_thread_and_the_others_are_told(app, monkeypatch):
    """The queue's polls need the threads too, also at 07.30 when everybody comes."""
    verifies, is_let_go = accounts._verifies, threading.Event()

    def slowly(*typed) -> bool:
        return is_let_go.wait(30) and verifies(*typed)

    def log_in(browser) -> tuple[int, str, str]:
        token = TOKEN.search(browser.get("/masuk").data)[1].decode()
        answer = browser.post("/masuk", data=RIGHT | {"csrf_token": token, "lanjut": "/poli"})
        return answer.status_code, answer.headers.get("Retry-After"), text_of(answer)

    monkeypatch.setattr(accounts, "_verifies", slowly)
    browsers = [FlaskClient(app, app.response_class) for _ in range(8)]
    with ThreadPoolExecutor(len(browsers)) as pool:
        results = [pool.submit(log_in, browser) for browser in browsers]
        # Those that are in line answer only when they are let go.
        told = list(islice(as_completed(results, timeout=30), 8 - accounts.IN_LINE))
        is_let_go.set()
        others = [one.result() for one in told]
        assert sorted(one.result()[0] for one in results) == [303] * 3 + [503] * 5
        for status, retry_after, page in others:
            assert (status, retry_after) == (503, "1")
            assert "Banyak yang masuk bersamaan" in page
            assert 'name="username" value="loket"' in page and 'value="/poli"' in page
        later = FlaskClient(app, app.response_class)
        assert pool.submit(log_in, later).result()[0] == 303


@pytest.mark.engines("sqlite", "postgresql")
@pytest.mark.parametrize("change", [{"is_active": False}, {"password_hash": "of another one"}])
def test_an_account_that_changes_while_its_passphrase_is_compared_lets_nobody_in(
    client, monkeypatch, change
):
    matches = accounts.matches

    def changed_meanwhile(user, typed) -> bool:
        is_right = matches(user, typed)
        with transaction():
            for name, value in change.items():
                setattr(db.session.get_one(User, user.id), name, value)
        return is_right

    client.get("/masuk")
    monkeypatch.setattr(accounts, "matches", changed_meanwhile)
    answer = post(client, "/masuk", {"username": "umum", "password": DEMO_PASSWORD})
    assert answer.status_code == 422
    assert count(LoginSession) == 0 and client.get("/poli").status_code == 303, "nobody is in"


@pytest.mark.parametrize("typed", [{"username": "umum"}, {"password": "x"}, {}])
def test_an_empty_field_is_told_and_is_no_try(app, client, typed):
    client.get("/masuk")
    for _ in range(AT_A_DEVICE.free + 1):
        answer = post(client, "/masuk", {"username": "", "password": ""} | typed)
    assert answer.status_code == 422
    assert "Isi nama pengguna dan kata sandi." in answer.get_data(as_text=True)
    assert log_in_tries.seconds_to_wait(factories.user("umum"), HERE) == 0


def test_wrong_passwords_make_only_that_account_wait(app, client):
    client.get("/masuk")
    for _ in range(5):
        page = post(client, "/masuk", WRONG)
        assert page.status_code == 422
    assert "Tunggu" in page.get_data(as_text=True)
    assert wait_at(HERE) > 0
    with transaction():
        for _ in range(12):
            log_in_tries.note_failure(factories.user("loket"), HERE)
    assert 60 < wait_at(HERE) <= AT_A_DEVICE.longest.total_seconds()
    login(app.test_client(), "umum")


def test_a_prank_at_one_device_keeps_nobody_out_at_another(app, client):
    """Hours of it: a stranger in the network must not shut a room."""
    with transaction():
        user = factories.user("loket")
        for _ in range(40):
            log_in_tries.note_failure(user, HERE)
            for tries in (user, *log_in_tries._memory.values()):
                tries.wait_until -= timedelta(minutes=5)
    client.get("/masuk")
    post(client, "/masuk", WRONG)
    other = app.test_client()
    other.get("/masuk")
    elsewhere = {"environ_base": {"REMOTE_ADDR": "10.0.0.7"}}
    assert post(other, "/masuk", RIGHT, **elsewhere).status_code == 303
    assert "Tunggu" in post(client, "/masuk", RIGHT).get_data(as_text=True), "there it still waits"


def test_guessing_from_many_devices_is_slow_but_a_locked_screen_opens(sign_in, client):
    locked = sign_in("loket")
    with transaction():
        user = factories.user("loket")
        for number in range(40):
            log_in_tries.note_failure(user, Device(f"10.0.0.{number}"))
        db.session.scalars(select(LoginSession)).one().idle_until = utcnow()
    assert wait_at(Device("10.0.1.1")) == IN_ALL.longest.total_seconds()
    client.get("/masuk")
    assert "Tunggu" in post(client, "/masuk", RIGHT).get_data(as_text=True)
    locked.get("/masuk")
    assert post(locked, "/masuk", RIGHT).status_code == 303


def test_a_locked_screen_is_no_place_to_guess(sign_in):
    client = sign_in("loket")
    with transaction():
        db.session.scalars(select(LoginSession)).one().idle_until = utcnow()
    client.get("/masuk")
    for _ in range(AT_A_DEVICE.free + 1):
        post(client, "/masuk", WRONG)
    assert "Tunggu" in post(client, "/masuk", RIGHT).get_data(as_text=True)
    assert wait_at(HERE) == 0, "who logs in beside it need not wait"


def test_old_tries_are_forgotten(app):
    with transaction():
        user = factories.user("loket")
        log_in_tries.note_failure(user, HERE)
        for tries in (user, *log_in_tries._memory.values()):
            tries.failed_logins, tries.wait_until = 8, utcnow() - timedelta(hours=2)
        log_in_tries.note_failure(user, HERE)
    assert wait_at(HERE) == 0


def test_a_new_passphrase_need_not_wait_for_what_was_tried_before(app):
    with transaction():
        for _ in range(9):
            log_in_tries.note_failure(factories.user("loket"), HERE)
        factories.user("loket").password_hash = "another"
    assert wait_at(HERE) == 0


def test_a_wait_that_a_clock_running_ahead_has_set_is_the_longest_and_no_longer(app):
    with transaction():
        factories.user("loket").wait_until = utcnow() + timedelta(days=1)
    assert wait_at(HERE) == IN_ALL.longest.total_seconds()


def test_unknown_and_known_accounts_get_the_same_answer(client):
    """At each try: who may not wait is not there."""
    client.get("/masuk")
    answers = {"loket": [], "tidakada": []}
    for name, told in answers.items():
        for _ in range(AT_A_DEVICE.free + 2):
            page = post(client, "/masuk", WRONG | {"username": name}).get_data(as_text=True)
            page = page.replace(name, "").replace(client.token, "")
            told.append(re.sub(r"Tunggu \d", "Tunggu", page))
    assert answers["loket"] == answers["tidakada"]
    assert "salah. Periksa" in answers["tidakada"][0] and "Tunggu" in answers["tidakada"][-1]
    found = select(AuditEntry.object_ref).where(AuditEntry.action == "log_in_failed")
    known = factories.user("loket").public_id
    assert list(db.session.scalars(found.order_by(AuditEntry.seq))) == [known] * 4 + [""] * 4


def test_names_without_end_fill_neither_the_trail_nor_the_memory(client, monkeypatch):
    monkeypatch.setattr(log_in_tries, "MOST_KEPT", 5)
    client.get("/masuk")
    for number in range(IN_ALL.free + 5):
        post(client, "/masuk", WRONG | {"username": f"orang{number}"})
    noted = count(AuditEntry, AuditEntry.action == "log_in_failed")
    assert IN_ALL.free < noted < IN_ALL.free + 5
    assert len(log_in_tries._memory) == 5


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/tidak-ada", "/keluar"]
    + ["/poli/UMUM\n", "/poli?x=\r\nSet-Cookie:a=b", "/poli?x=\x7f"],
)
def test_the_way_on_after_the_login_stays_in_the_house(client, target):
    client.get("/masuk")
    typed = {"username": "loket", "password": "coba-alur-sekarang", "lanjut": target}
    assert post(client, "/masuk", typed).location == "/"


def test_a_page_that_stands_open_is_hidden_while_its_authors_screen_is_locked(sign_in):
    client, colleague = sign_in("loket"), sign_in("umum")
    url = f"/masuk/kunci?oleh={factories.user('loket').id}&otomatis=1"
    assert url.replace("&", "&amp;") in client.get("/pendaftaran").get_data(as_text=True)
    opened = client.get(url).get_data(as_text=True)
    assert "terkunci" not in opened and f"{url}&tampak=buka".replace("&", "&amp;") in opened
    assert client.get(f"{url}&tampak=buka").status_code == 204
    with transaction():
        of_clerk = LoginSession.user_id == factories.user("loket").id
        db.session.scalars(select(LoginSession).where(of_clerk)).one().idle_until = utcnow()
    for known in ("", "&tampak=buka"):
        assert "Layar terkunci" in client.get(url + known).get_data(as_text=True)
    assert client.get(f"{url}&tampak=kunci").status_code == 204
    assert colleague.get(f"{url}&tampak=kunci").status_code == 204, "it is not theirs"
    client.get("/masuk")
    assert post(client, "/masuk", RIGHT).status_code == 303
    shown = client.get(f"{url}&tampak=kunci")
    assert (shown.status_code, "Layar terkunci" in shown.get_data(as_text=True)) == (200, False)


def test_who_types_or_moves_keeps_the_screen_open_and_the_page_by_itself_does_not(sign_in):
    client, url = sign_in("loket"), f"/masuk/kunci?oleh={factories.user('loket').id}"
    before = utcnow() + timedelta(minutes=1)
    with transaction():
        row = db.session.scalars(select(LoginSession)).one()
        row.seen_at, row.idle_until = utcnow() - timedelta(minutes=5), before
    for query, is_kept_open in (("&otomatis=1", False), ("", True)):
        assert client.get(f"{url}{query}&tampak=buka").status_code == 204
        db.session.rollback()
        now = db.session.scalars(select(LoginSession.idle_until)).one()
        assert (now > before) is is_kept_open


def test_an_idle_screen_is_locked_and_opens_where_it_was(sign_in):
    client = sign_in("loket")
    post(client, "/pendaftaran", {"q": "Siti"})
    with transaction():
        db.session.scalars(select(LoginSession)).one().idle_until = utcnow()
    answer = "/pendaftaran?hasil=1"
    page = client.get(answer)
    locked = client.get(page.location).get_data(as_text=True)
    assert "Layar terkunci" in locked
    assert "Rina Wulandari" in locked
    typed = {"username": "loket", "password": "coba-alur-sekarang", "lanjut": answer}
    assert post(client, "/masuk", typed).location == answer
    assert 'value="Siti"' in client.get(answer).get_data(as_text=True)


def test_a_session_is_locked_after_a_quarter_of_an_hour_and_ends_after_twelve(sign_in):
    sign_in("loket")
    row = db.session.scalars(select(LoginSession)).one()
    assert (row.idle_until - row.seen_at, row.expires_at - row.seen_at) == (
        timedelta(minutes=15),
        timedelta(hours=12),
    )


@pytest.mark.parametrize(
    ("idle_minutes", "seconds", "is_moved"),
    [(1, 17, True), (1, 10, False), (15, 59, False), (15, 61, True)],
)
def test_who_works_is_not_locked_however_short_the_time(sign_in, idle_minutes, seconds, is_moved):
    with transaction():
        settings.set_value("idle_minutes", idle_minutes)
    client, passed = sign_in("loket"), timedelta(seconds=seconds)
    with transaction():
        row = db.session.scalars(select(LoginSession)).one()
        row.seen_at, row.idle_until = row.seen_at - passed, row.idle_until - passed
        before = row.idle_until
    assert client.get("/pendaftaran").status_code == 200
    db.session.rollback()
    assert (db.session.scalars(select(LoginSession.idle_until)).one() > before) is is_moved
    lock = client.get(f"/masuk/kunci?oleh={factories.user('loket').id}&otomatis=1")
    throttle = f"keydown from:body throttle:{15 if idle_minutes == 1 else 60}s"
    assert throttle in lock.get_data(as_text=True)


def test_a_shorter_time_holds_for_who_is_logged_in_already(sign_in):
    sign_in("loket")
    read = select(LoginSession.idle_until)
    for minutes, most in ((1, timedelta(minutes=1)), (30, timedelta(minutes=1))):
        with transaction():
            change = {"idle_minutes": minutes}
            administration.change_settings(factories.actor("kepala"), change)
        left = db.session.scalars(read).one() - utcnow()
        assert timedelta(0) < left <= most


def test_who_logs_in_at_a_colleagues_locked_screen_finds_an_empty_desk(sign_in):
    client = sign_in("loket")
    post(client, "/pendaftaran", {"q": "Siti Rahasia"})
    with transaction():
        db.session.scalars(select(LoginSession)).one().idle_until = utcnow()
    login(client, "kepala")
    assert "Siti Rahasia" not in client.get("/pendaftaran?hasil=1").get_data(as_text=True)


def test_a_form_sent_after_the_session_ended_is_not_lost(app, sign_in):
    client = sign_in("kepala")
    with transaction():
        db.session.scalars(select(LoginSession)).one().ended_at = utcnow()
    typed = {"name": "Melati Baru", "code": "demam tinggi", "is_in_area": "1"}
    refused = post(client, "/sistem/wilayah/baru", typed)
    assert refused.status_code == 401
    hidden = re.search(r'name="resend" value="([^"]*)"', refused.get_data(as_text=True))[1]
    resend = hidden.replace("&#34;", '"').replace("&quot;", '"').replace("&amp;", "&")
    entered = post(
        client,
        "/masuk",
        {
            "username": "kepala",
            "password": "coba-alur-sekarang",
            "lanjut": "/sistem/wilayah/baru",
            "resend": resend,
        },
    )
    text = entered.get_data(as_text=True)
    assert entered.status_code == 200
    assert 'name="code" value="demam tinggi"' in text
    assert "Dalam wilayah" in text
    assert 'action="/sistem/wilayah/baru"' in text


def test_a_form_is_not_lost_when_the_login_that_carries_it_meets_a_full_disk(sign_in, monkeypatch):
    client = sign_in("kepala")
    with transaction():
        db.session.scalars(select(LoginSession)).one().ended_at = utcnow()
    refused = post(client, "/sistem/wilayah/baru", {"name": "Melati Baru"})
    carried = unescape(re.search(r'name="resend" value="([^"]*)"', refused.text)[1])
    enter = {"username": "kepala", "password": DEMO_PASSWORD, "lanjut": "/sistem/wilayah/baru"}
    with monkeypatch.context() as full:
        problem = OperationalError("", {}, sqlite_driver.OperationalError(FULL))
        full.setattr(log_in_tries, "note_success", Mock(side_effect=problem))
        failed = post(client, "/masuk", enter | {"resend": carried})
    again = unescape(re.search(r'name="resend" value="([^"]*)"', failed.text)[1])
    assert (failed.status_code, again) == (503, carried)
    assert "Melati Baru" in post(client, "/masuk", enter | {"resend": again}).text


def test_a_form_that_was_open_since_the_morning_is_taken(sign_in, monkeypatch):
    early = int(utcnow().timestamp()) - 8 * 3600
    with monkeypatch.context() as morning:
        morning.setattr(TimestampSigner, "get_timestamp", lambda _signer: early)
        client = sign_in("loket")
        client.get("/pendaftaran")
    assert post(client, "/pendaftaran", {"q": "Siti"}).status_code == 303


def test_a_form_with_an_old_token_is_shown_again_ready_to_send(sign_in):
    client = sign_in("loket")
    response = client.post("/pendaftaran/baru", data={"csrf_token": "lama", "name": "Siti"})
    assert response.status_code == 400
    text = response.get_data(as_text=True)
    assert 'name="name" value="Siti"' in text
    assert "belum ada yang disimpan" in text


# What names a person, as a clerk types it; the page check looks for 16 digits in a row besides.
NUMBERS = {
    "nik": "3171015708850001",
    "mother_nik": "3171 0157 0860 0003",
    "kk_number": "317101.010203.0004",
    "bpjs_number": "0001113569638",
    "passport_no": "X1234567",
    "q": "0001113569638",
    "complaint": "demam, NIK suami 3171011708850002",
}


def enter_again(client, username, to_login):
    """The page that somebody comes to who logs in where a form was refused."""
    page = client.get(to_login.location).get_data(as_text=True)
    goes_on = unescape(re.search(r'name="lanjut" value="([^"]*)"', page)[1])
    opened = {"username": username, "password": DEMO_PASSWORD, "lanjut": goes_on}
    return client.get(post(client, "/masuk", opened).location)


@pytest.mark.parametrize("way", ["old token", "login"])
def test_a_form_shown_again_keeps_each_number_and_shows_none(sign_in, way):
    if way == "old token":
        page = sign_in("loket").post("/pendaftaran/baru", data={"csrf_token": "lama"} | NUMBERS)
        assert page.status_code == 400
    else:
        clerk = sign_in("loket")
        clerk.get("/pendaftaran")
        clerk.delete_cookie("alur")
        clerk.is_led = False
        page = enter_again(clerk, "loket", post(clerk, "/pendaftaran/baru", NUMBERS))
        assert page.status_code == 409
    text = page.get_data(as_text=True)
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text)
    assert NUMBERS.items() <= dict(inputs).items()
    shown = re.sub(r"<[^>]*>", "", text)
    for typed in ("570885", "0860", "010203", "1113569638", "X1234567", "170885"):
        assert typed not in shown, typed
    assert "317101••••••0001" in shown and "317101••••••0002" in shown


def test_what_was_not_sent_is_named_as_its_page_names_it(sign_in, app):
    """And without what the page sends of itself."""
    client = sign_in("kia")
    typed = {"vaccine": "BCG-1", "site": "lengan", "given_by": "Bdn. Nur", "findings": "ruam"}
    own = {"kunci": "01a2-kunci", "pemeriksaan": "01a2-periksa", "entry": "01a2-antrean"}
    page = client.post("/kunjungan/x/imunisasi", data={"csrf_token": "lama"} | typed | own)
    assert page.status_code == 400
    text = page.get_data(as_text=True)
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))
    for name, words in zip(
        ("Vaksin", "Tempat suntikan", "Diberikan oleh", "Pemeriksaan"), typed.values(), strict=True
    ):
        assert f"{name} {words}" in shown
    assert "01a2" not in shown and "Kunci" not in shown
    for name, words in own.items():
        assert f'name="{name}" value="{words}"' in text, "it is sent again all the same"


def test_what_one_account_typed_is_shown_to_no_other_after_the_login(sign_in):
    """Though the cookie is gone: the form's own token says whose page it was."""
    client = sign_in("loket")
    client.get("/pendaftaran")
    client.delete_cookie("alur")
    client.is_led = False
    refused = post(client, "/pendaftaran/baru", {"name": "Siti Rahasia"})
    text = enter_again(client, "kepala", refused).get_data(as_text=True)
    assert "Siti Rahasia" not in text and "bukan dari akun Anda" in text
    post(client, "/keluar")
    assert "Siti Rahasia" in enter_again(client, "loket", refused).get_data(as_text=True)


def test_what_the_login_page_itself_carries_is_for_its_author_alone(sign_in):
    client = sign_in("ti")
    client.get("/sistem")
    client.delete_cookie("alur")
    refused = post(client, "/sistem/wilayah/baru", {"name": "Desa Rahasia"})
    hidden = re.search(r'name="resend" value="([^"]*)"', refused.get_data(as_text=True))[1]
    carried = {"resend": unescape(hidden), "lanjut": "/sistem/wilayah/baru"}
    for username, is_shown in (("kepala", False), ("ti", True)):
        client.get("/masuk")
        known = {"username": username, "password": DEMO_PASSWORD}
        page = post(client, "/masuk", known | carried)
        page = client.get(page.location) if page.status_code == 303 else page
        text = page.get_data(as_text=True)
        assert ("Desa Rahasia" in text, "bukan dari akun Anda" in text) == (is_shown, not is_shown)
        client.get("/bantuan")
        post(client, "/keluar")


def test_a_form_of_nobody_knows_whom_is_carried_no_further(client):
    client.get("/masuk")
    refused = post(client, "/pendaftaran/baru", {"name": "Siti Rahasia"})
    text = refused.get_data(as_text=True)
    assert refused.status_code == 401 and 'name="resend"' not in text
    assert "Siti Rahasia" not in text and "tidak diketahui dari akun mana" in text
    made_up = {"resend": '[["name", "Siti"]]', "lanjut": "/pendaftaran/baru"}
    known = {"username": "loket", "password": DEMO_PASSWORD}
    assert post(client, "/masuk", known | made_up).status_code == 303


def test_a_tab_that_a_colleague_left_open_shows_its_text_to_nobody_else(sign_in):
    client = sign_in("loket")
    client.get("/pendaftaran")
    old = client.token
    login(client, "kepala")
    sent = client.post("/pendaftaran/baru", data={"csrf_token": old, "name": "Siti Rahasia"})
    assert sent.status_code == 303
    text = client.get(sent.location).get_data(as_text=True)
    assert "Siti Rahasia" not in text and "bukan dari akun Anda" in text


def test_a_form_of_another_site_is_not_offered_again(sign_in):
    client = sign_in("loket")
    response = client.post(
        "/pendaftaran/baru", data={"name": "Siti"}, headers={"Origin": "http://evil.example"}
    )
    assert response.status_code == 400
    assert 'value="Siti"' not in response.get_data(as_text=True)


def test_logins_failures_and_logouts_are_in_the_audit_trail(app, client):
    client.get("/masuk")
    post(client, "/masuk", {"username": "loket", "password": "salah"})
    login(client, "loket")
    post(client, "/keluar")
    trail = select(AuditEntry.action, AuditEntry.user_id, AuditEntry.device)
    *_, failed, entered, left = db.session.execute(trail.order_by(AuditEntry.seq))
    loket = factories.user("loket").id
    assert failed == ("log_in_failed", None, "127.0.0.1")
    assert entered == ("log_in", loket, "127.0.0.1")
    assert left == ("log_out", loket, "127.0.0.1")


def test_a_closed_account_is_out_at_once(sign_in):
    client = sign_in("loket")
    with transaction():
        db.session.scalars(select(User).where(User.username == "loket")).one().is_active = False
    assert client.get("/pendaftaran").location.startswith("/masuk")
    client.get("/masuk")
    known = post(client, "/masuk", {"username": "loket", "password": DEMO_PASSWORD})
    assert known.status_code == 422
    assert "Nama pengguna atau kata sandi salah." in known.get_data(as_text=True)


def test_a_session_that_is_over_opens_nothing_and_is_not_unlocked(sign_in):
    client = sign_in("loket")
    with transaction():
        db.session.scalars(select(LoginSession)).one().expires_at = utcnow()
    sent = client.get("/pendaftaran")
    assert sent.location.startswith("/masuk")
    assert "Layar terkunci" not in client.get(sent.location).get_data(as_text=True)


def test_a_room_that_an_account_no_longer_works_in_is_closed_to_it_at_once(sign_in):
    client = sign_in("umum")
    assert client.get("/poli/UGD").status_code == 200
    with transaction():
        accounts.set_rooms(factories.user("umum"), ["UMUM"])
    assert client.get("/poli/UGD").status_code == 404
    assert client.get("/poli/UMUM").status_code == 200


def test_a_page_says_that_the_database_fails_without_asking_it_again(sign_in):
    client = sign_in("loket")

    def refuse(*_):
        raise OperationalError("", {}, Exception("gone"))

    pool = db.engine.pool
    event.listen(pool, "checkout", refuse)
    try:
        page = client.get("/pendaftaran")  # PageClient looks at the headers
    finally:
        event.remove(pool, "checkout", refuse)
    assert page.status_code == 500
    assert "Kesalahan sudah dicatat" in page.get_data(as_text=True)


def test_a_page_takes_everything_from_here_runs_no_script_in_it_and_stands_in_no_other(client):
    policy = client.get("/masuk").headers["Content-Security-Policy"]
    from_here = ("script-src", "style-src", "img-src", "connect-src", "form-action")
    own = dict.fromkeys(from_here, "'self'")
    nothing = dict.fromkeys(("default-src", "base-uri", "frame-ancestors"), "'none'")
    assert dict(part.split(maxsplit=1) for part in policy.split(";")) == own | nothing


def test_every_answer_carries_the_headers_errors_included(app, sign_in):
    client = sign_in("loket")  # PageClient checks the headers of each answer
    for url in ("/pendaftaran", "/tidak-ada", "/sistem", "/masuk", "/bantuan"):
        client.get(url)
    client.put("/pendaftaran")
    assert client.post("/pendaftaran/baru", data={"a": "x" * 1_100_000}).status_code == 413


def test_a_form_of_a_great_many_fields_is_refused_unread(client, sign_in):
    form = "application/x-www-form-urlencoded"
    for each, path in ((client, "/masuk"), (sign_in("umum"), "/poli/UMUM/panggil")):
        refused = each.post(path, data="a&" * 250_000, content_type=form)
        assert refused.status_code == 413 and len(refused.data) < 10_000
    clerk = sign_in("loket")
    clerk.get("/pendaftaran")
    many = {"csrf_token": clerk.token, "q": "Siti"} | dict.fromkeys(map(str, range(4000)), "")
    assert clerk.post("/pendaftaran", data=many).status_code == 303


def test_a_form_that_cannot_be_read_is_not_called_old(sign_in):
    client = sign_in("rekammedis")
    client.get("/bantuan")
    head = "Content-Disposition: form-data; name="
    body = f'--x\r\n{head}"csrf_token"\r\n\r\n{client.token}\r\n--x\r\n'
    body += f'{head}"berkas"; filename="donn\xe9es.csv"\r\n\r\nnama\r\n--x--\r\n'
    sent = {"data": body.encode("latin-1"), "content_type": "multipart/form-data; boundary=x"}
    refused = client.post("/rekam-medis/impor", **sent)
    assert refused.status_code == 415 and "nama berkas" in refused.text
    assert client.post("/tidak-ada", **sent).status_code == 404
    assert client.post("/sistem/wilayah/baru", **sent).status_code == 403


@pytest.mark.parametrize(
    ("username", "path", "action"),
    [
        ("loket", "/pendaftaran/kunjungan/{visit}/ubah", "view_identity"),
        ("rekammedis", "/pendaftaran/kunjungan/{visit}/ubah", "view_identity"),
        ("loket", "/pendaftaran/kunjungan/{visit}/ruang", "view_identity"),
        ("loket", "/pendaftaran/tiket/{visit}", "view_identity"),
        ("umum", "/antrean/{entry}/lainnya", "view_visit"),
        ("umum", "/antrean/{entry}/pindah", "view_visit"),
        ("umum", "/antrean/{entry}/mulai", "view_visit"),
    ],
)
def test_a_page_of_a_step_or_a_correction_notes_who_looked(sign_in, username, path, action):
    entry = factories.entry()
    factories.entry("GIGI", factories.patient(birth_date=date(1960, 1, 2)))  # the name is asked
    visit = entry.visit
    known = {"visit": visit.public_id, "entry": entry.public_id}
    assert sign_in(username).get(path.format(**known)).status_code == 200
    viewed = select(AuditEntry).where(AuditEntry.action == action)
    (noted,) = db.session.scalars(viewed)
    assert (noted.object_ref, noted.patient_ref) == (visit.public_id, visit.patient.public_id)
    assert noted.user_id == factories.user(username).id


@pytest.mark.engines("sqlite", "postgresql")
def test_a_nul_is_no_fault_of_the_server(app, client, sign_in):
    """PostgreSQL takes none, so that each was a 500 and a long trace in the log."""
    client.get("/masuk")
    answer = post(client, "/masuk", {"username": "a\0b", "password": "x\0"})
    assert answer.status_code == 422
    assert 'value="ab"' in answer.get_data(as_text=True)
    kepala = sign_in("kepala")
    for path in ("/kunjungan/a%00b", "/pasien/a%00b", "/poli/UMUM%00", "/layar/UMUM%00"):
        assert kepala.get(path).status_code == 404, path
    for path in ("/sistem/audit?sebelum=%00&aksi=%00", "/pendaftaran/baru?keluarga=%00"):
        assert kepala.get(path).status_code in (200, 404), path
    assert post(kepala, "/sistem/kamus", {"what\0": "x\0", "poli": "UM\0UM"}).status_code < 500
