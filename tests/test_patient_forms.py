"""Right patient everywhere: a form of another patient is refused, and who it is stands above it.

Both go over the routes of the application, so that a new one is looked at too.
"""

import re
from contextlib import closing
from functools import update_wrapper
from html.parser import HTMLParser
from pathlib import Path

import pytest

import db as db_module
from db import db, sqlite_driver
from models import Role
from tests import factories, whole_record
from tests.crawling import crawl
from tests.pages import post
from tests.test_access import dump

pytestmark = pytest.mark.engines("sqlite")

BLUEPRINTS = Path(__file__).parent.parent / "blueprints"

# Routes with one of these in their address act on what belongs to one patient.
OF_A_PATIENT = {"visit", "entry", "examination", "prescription", "line", "order", "result", "paper"}
OF_A_PATIENT |= {"patient", "allergy", "dose", "dispensing_ref", "amendment"}
# A draft is a row of its own with its version; its check page reads the identity back.
DRAFTED = {"registration.decide", "registration.compare"}
DRAFTED |= {"registration.save_correction", "registration.check_correction"}
SENTENCE = "Isian ini bukan untuk"
# No pages: fragments of one, and what only leads on.
PARTS = {"examination.diagnosis_options", "examination.procedure_options"}
PARTS |= {"examination.medicine_options", "examination.prescription_line"}
PARTS |= {"examination.typing_token", "examination.late_typed", "poli.open_record", "poli.measure"}
# Paper: what is printed goes out of the house, and says of allergies what it must.
PRINTED = {"papers.paper", "papers.patient_label", "papers.sample_labels"}
PRINTED |= {"pharmacy.labels", "pharmacy.copy", "registration.ticket", "patients.print_record"}
# Their forms stand where this record does not lead: sent by a script, with something unsaved, for
# a second person, without access, of somebody whom no room has sent on. A queue's buttons have its
# critical values' too. Handing out is refused to a form that names nobody.
NOT_SEEN = {"examination.keep_typed", "examination.drop_typed", "examination.validate_lab_order"}
NOT_SEEN |= {"patients.open_record", "pharmacy.put_in_line", "pharmacy.hand_over"}
NOT_SEEN |= {"examination.read_critical_result", "examination.read_withdrawn_result"}
NOT_SEEN |= {"reports.mark_pcare"}
# Of a visit that is over, of a prescription that nobody fetched on its day.
NOT_SEEN |= {"examination.correct_triage", "pharmacy.close"}
# The counter sees identity and visits, nothing clinical: that there is an allergy, not to what.
COUNTER = ("registration.", "consents.")


def routes_of(app, method: str):
    for rule in app.url_map.iter_rules():
        is_ours = rule.arguments & OF_A_PATIENT and rule.endpoint not in DRAFTED
        if method in rule.methods and is_ours and rule.endpoint != "static":
            yield rule


def address(rule, refs: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda found: refs[found[1]], rule.rule)


@pytest.fixture
def whole(app):
    return whole_record.write("biasa saja", "Siti Aminah")


def refs_for(whole, endpoint: str) -> dict[str, str]:
    """Most routes take the visit that is being served; some need one that is further."""
    further = {
        "examination.add_addendum": whole.finished.visit,
        "papers.form": whole.finished.visit,
        "papers.issue": whole.finished.visit,
        "examination.enter_results": whole.at_laboratory.visit,
        "examination.add_lab_tests": whole.at_laboratory.visit,
        "examination.laboratory": whole.at_laboratory.visit,
        "pharmacy.visit": whole.at_pharmacy.visit,
    }
    refs = whole.refs | {"action": "pulang", "jenis": "sakit", "code": "HB"}
    visit = further.get(endpoint)
    return refs | {"visit": visit.public_id} if visit else refs


def form_for(whole, endpoint: str) -> dict[str, str]:
    """Enough to be let through, were it not for the patient."""
    there = whole.at_laboratory
    entry = {"enter_results": there, "add_lab_tests": there, "hand_over": whole.at_pharmacy}
    reason = dict.fromkeys(("alasan", "reason", "why", "text", "substance"), "cukup panjang ini")
    return reason | {
        "entry": entry.get(endpoint.partition(".")[2], whole.draft).public_id,
        "examination": whole.finished.public_id,
        "pemeriksaan": whole.finished.public_id,
        "ketikan": "abcd",
        "version": "1",
        "aksi": "ubah" if endpoint == "registration.correct_post" else "simpan",
    }


def account_for(app, rule) -> str:
    return "kepala" if Role.HEAD in app.view_functions[rule.endpoint].access else "umum"


def test_a_form_of_another_patient_is_refused_and_stores_nothing(app, whole, sign_in):
    clients = {name: sign_in(name) for name in ("kepala", "umum")}
    other, before = factories.patient("Orang Lain").public_id, dump()
    rules = list(routes_of(app, "POST"))
    assert len(rules) > 30
    for rule in rules:
        client, here = clients[account_for(app, rule)], refs_for(whole, rule.endpoint)
        fields = form_for(whole, rule.endpoint) | {"patient": other}
        answer = post(client, address(rule, here), fields)
        assert answer.status_code == 409, rule.rule
        assert SENTENCE in answer.get_data(as_text=True), rule.rule
    assert dump() == before


def test_of_an_incomplete_form_it_is_asked_first_whose_it_is(sign_in):
    """Else the page that asks for the reason would show somebody whom nobody had opened."""
    entry, other = factories.entry(), factories.patient("Orang Lain").public_id
    client = sign_in("umum")
    answer = post(client, f"/antrean/{entry.public_id}/pindah", {"patient": other})
    assert answer.status_code == 409
    assert entry.visit.patient.name not in answer.get_data(as_text=True)


def test_ones_own_patients_form_is_not(app, whole, sign_in):
    """The same forms; what becomes of them is other tests' business, and one ends another."""
    clients = {name: sign_in(name) for name in ("kepala", "umum")}
    owner = whole.refs["patient"]
    for rule in routes_of(app, "POST"):
        client, here = clients[account_for(app, rule)], refs_for(whole, rule.endpoint)
        fields = form_for(whole, rule.endpoint) | {"patient": owner}
        answer = post(client, address(rule, here), fields)
        assert SENTENCE not in answer.get_data(as_text=True), rule.rule


class Forms(HTMLParser):
    """The POST forms of a page: where each of their buttons sends, and its fields."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[set[str], set[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = dict(pairs)
        if tag == "form":
            is_post = attributes.get("method") == "post"
            self.found.append(({attributes["action"]} if is_post else set(), set()))
        elif self.found and tag in {"input", "button"}:
            addresses, fields = self.found[-1]
            fields.add(attributes.get("name") or "")
            if "formaction" in attributes and addresses:
                addresses.add(attributes["formaction"])


def pages_of_a_patient(app, whole, sign_in):
    clients = {name: sign_in(name) for name in ("kepala", "umum")}
    for rule in routes_of(app, "GET"):
        if rule.endpoint not in PARTS:
            client, here = clients[account_for(app, rule)], refs_for(whole, rule.endpoint)
            query = {"pemeriksaan": whole.finished.public_id}
            answer = client.get(address(rule, here), query_string=query, follow_redirects=True)
            assert answer.status_code == 200, rule.rule
            yield rule, answer.get_data(as_text=True)


def pages_with_forms(app, whole, sign_in):
    """As above, and what else the head and the records staff come to from there."""
    yield from (page for _, page in pages_of_a_patient(app, whole, sign_in))
    for username, desks in (("kepala", whole.desks), ("rekammedis", ["/rekam-medis/pembetulan"])):
        yield from (page for _, page in crawl(sign_in(username), desks))


def test_each_such_form_says_whose_it_is(app, whole, sign_in):
    urls, seen = app.url_map.bind(""), set()
    for page in pages_with_forms(app, whole, sign_in):
        for addresses, fields in Forms(page).found:
            if "key" in fields:  # a queue names many people
                continue
            for each in addresses:
                if each.startswith("#"):  # a place on the form's own page
                    continue
                endpoint, values = urls.match(re.split("[?#]", each)[0], method="POST")
                if values.keys() & OF_A_PATIENT and endpoint not in DRAFTED:
                    seen.add(endpoint)
                    # `dari`: whose visit it was, where it becomes a new person's.
                    assert {"patient", "dari"} & set(fields), each
    without = {rule.endpoint for rule in routes_of(app, "POST")} - seen
    assert without == NOT_SEEN


def test_each_such_page_says_who_it_is_with_the_allergy_in_red(app, whole, sign_in):
    for rule, page in pages_of_a_patient(app, whole, sign_in):
        if rule.endpoint in PRINTED:
            continue
        assert "Identitas pasien" in page, rule.rule
        if rule.endpoint.startswith(COUNTER):
            assert 'class="allergy">Alergi: ada' in page and "Penisilin" not in page, rule.rule
        else:
            assert re.search('class="allergy">Alergi: [^<]*Penisilin', page), rule.rule


# They store by the patient's address, or look inside at what the form says itself.
OTHERWISE = ("patients.", "consents.", "registration.")
# Refused before they would store anything, with the few fields that the forms here have.
NOT_STORED = {"examination.measure", "pharmacy.hand_over", "pharmacy.substitute"}
NOT_STORED |= {"examination.write_prescription", "papers.issue", "pharmacy.look"}


def test_a_visit_that_moves_while_its_form_is_on_the_way_takes_nothing(
    app, whole, sign_in, monkeypatch
):
    """Moved by another process, between the view's own look and its transaction."""
    clients = {name: sign_in(name) for name in ("kepala", "umum")}
    owner, other = whole.refs["patient"], factories.patient("Orang Lain").public_id
    moved, begin = [], db_module._begin_writing

    def begin_late(session):
        if reached.is_inside:
            move_all(owner, other)
            moved.append(rule.endpoint)
        begin(session)

    monkeypatch.setattr(db_module, "_begin_writing", begin_late)
    rules = [r for r in routes_of(app, "POST") if not r.endpoint.startswith(OTHERWISE)]
    for rule in rules:
        client, here = clients[account_for(app, rule)], refs_for(whole, rule.endpoint)
        fields = form_for(whole, rule.endpoint) | {"patient": owner}
        reached, before = Reached(app.view_functions[rule.endpoint]), dump()
        with monkeypatch.context() as patch:
            patch.setitem(app.view_functions, rule.endpoint, reached)
            answer = post(client, address(rule, here), fields)
        if rule.endpoint in moved:
            move_all(other, owner)
            assert answer.status_code == 409, rule.rule
            assert SENTENCE in answer.get_data(as_text=True), rule.rule
            assert dump() == before, rule.rule
    assert {rule.endpoint for rule in rules} - set(moved) == NOT_STORED


def test_who_asks_whose_form_it_is_asks_again_inside_the_transaction():
    """The few that the test above does not bring to a save are written as the others are."""
    asking = [path for path in BLUEPRINTS.rglob("*.py") if "patient_forms" in path.read_text()]
    places = {path: path.relative_to(BLUEPRINTS).as_posix().replace("/", ".") for path in asking}
    theirs = [path for path in asking if not places[path].startswith(OTHERWISE)]
    assert len(theirs) > 10
    for path in theirs:
        assert "with transaction()" not in path.read_text(), path.name


class Reached:
    """A view that says while it is at work."""

    def __init__(self, view):
        update_wrapper(self, view)
        self.view, self.is_inside = view, False

    def __call__(self, **values):
        self.is_inside = True
        try:
            return self.view(**values)
        finally:
            self.is_inside = False


def move_all(one: str, other: str) -> None:
    """As another process moves the visits of one patient."""
    with closing(sqlite_driver.connect(db.engine.url.database)) as connection:
        number = "(SELECT id FROM patient WHERE public_id = ?)"
        statement = f"UPDATE visit SET patient_id = {number} WHERE patient_id = {number}"  # noqa: S608
        connection.execute(statement, (other, one))
        connection.commit()
