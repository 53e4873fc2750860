"""The stock's pages: who may, what is typed is kept, one press one move, bytes and queries."""

import gzip
import html
import re

import pytest
from sqlalchemy import select

from db import db, transaction
from models import Medicine, StockBatch, StockMove
from tests import pharmacy
from tests.databases import count_queries
from tests.pages import post, words_of
from tests.test_hostile_text import BREAKING_OUT

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")


def hidden(response, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', response.get_data(as_text=True))[1]


@pytest.mark.parametrize(
    ("username", "status"),
    [("farmasi", 200), ("kepala", 200), ("umum", 404), ("lab", 404), ("loket", 403), ("ti", 403)],
)
def test_who_may_open_the_stock(sign_in, username, status):
    batch = pharmacy.receive(pharmacy.medicine(), 5)
    client = sign_in(username)
    for url in ("/farmasi/stok", f"/farmasi/batch/{batch.public_id}"):
        assert client.get(url).status_code == status
    if status != 200:
        url = f"/farmasi/batch/{batch.public_id}/koreksi"
        assert post(client, url, {"counted": "1", "reason": "x", "key": "k"}).status_code == status


def test_a_delivery_is_typed_once_and_stored_once(sign_in):
    row, client = pharmacy.medicine(reorder_level=10), sign_in("farmasi")
    url = f"/farmasi/stok/{row.code}/terima"
    key = hidden(client.get(url), "key")
    typed = {"number": "AB 12", "expires_on": "11-2099", "quantity": "banyak", "key": key}
    refused = post(client, url, typed)
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert 'value="AB 12"' in page
    assert 'value="banyak"' in page
    assert "Tulis jumlah dengan angka" in page
    assert "dalam tablet" in words_of(post(client, url, typed | {"quantity": "10 box"}))
    for _ in range(2):
        answer = post(client, url, typed | {"quantity": "1.000 tablet", "source": "Dinkes"})
        assert (answer.status_code, answer.location) == (303, f"/farmasi/stok/{row.code}")
    page = words_of(client.get(answer.location))
    assert "1.000 tablet" in page
    assert "30-11-2099" in page
    assert "Dinkes" in page
    assert len(list(db.session.scalars(select(StockMove)))) == 1


def test_an_expired_delivery_is_refused_beside_its_field(sign_in):
    row, client = pharmacy.medicine(), sign_in("farmasi")
    typed = {"number": "A", "expires_on": "01-2020", "quantity": "5", "key": "k1"}
    answer = post(client, f"/farmasi/stok/{row.code}/terima", typed)
    assert answer.status_code == 422
    assert 'href="#f-expires_on"' in answer.get_data(as_text=True)


def test_a_correction_of_what_has_changed_meanwhile_is_refused(sign_in):
    row, client = pharmacy.medicine(), sign_in("farmasi")
    batch = pharmacy.receive(row, 50)
    url = f"/farmasi/batch/{batch.public_id}"
    page = client.get(url)
    typed = {"counted": "48", "reason": "opname"}
    typed |= {name: hidden(page, name) for name in ("seen", "key")}
    pharmacy.receive(row, 10)
    answer = post(client, f"{url}/koreksi", typed)
    assert answer.status_code == 409
    assert "berubah sejak halaman dibuka: sekarang 60" in words_of(answer)
    assert 'value="48"' in answer.get_data(as_text=True)
    again = typed | {"counted": "58", "seen": hidden(answer, "seen")}
    assert post(client, f"{url}/koreksi", again).status_code == 303
    assert pharmacy.balance(row) == 58
    for seen in ("", "banyak", "NaN"):
        broken = typed | {"seen": seen, "key": "k9"}
        assert post(client, f"{url}/koreksi", broken).status_code == 409


def test_the_expired_is_marked_and_taken_out(sign_in):
    row, client = pharmacy.medicine(), sign_in("farmasi")
    batch = pharmacy.expired(row, 7)
    assert "ada yang kedaluwarsa" in words_of(client.get("/farmasi/stok"))
    url = f"/farmasi/batch/{batch.public_id}"
    page = client.get(url)
    typed = {name: hidden(page, name) for name in ("seen", "key")}
    answer = post(client, f"{url}/kedaluwarsa", typed | {"expiry_reason": ""})
    assert answer.status_code == 422
    answer = post(client, f"{url}/kedaluwarsa", typed | {"expiry_reason": "dipisahkan"})
    assert answer.status_code == 303
    page = words_of(client.get(answer.location))
    assert "Kedaluwarsa LAMA -7" in page
    assert "dipisahkan" in page


def test_the_search_finds_other_spellings_and_says_when_nothing_is_found(sign_in):
    client = sign_in("farmasi")
    assert "Parasetamol" in words_of(client.get("/farmasi/stok?q=paracetamol"))
    assert "Tidak ada obat yang cocok" in words_of(client.get("/farmasi/stok?q=tidakada"))


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_hostile_text_in_the_stock_is_shown_as_typed(sign_in, text):
    row, client = pharmacy.medicine(name=text[:80]), sign_in("farmasi")
    url = f"/farmasi/stok/{row.code}/terima"
    typed = {"number": text[:40], "expires_on": text, "quantity": "5", "source": text, "key": "k1"}
    assert post(client, url, typed).status_code == 422
    assert post(client, url, typed | {"expires_on": "11-2099"}).status_code == 303
    batch = db.session.scalars(select(StockBatch)).one()
    typed = {"counted": text, "reason": text, "seen": "5", "key": "k2"}
    count_url = f"/farmasi/batch/{batch.public_id}/koreksi"
    assert post(client, count_url, typed).status_code == 422
    assert post(client, count_url, typed | {"counted": "4"}).status_code == 303
    page = client.get(f"/farmasi/stok/{row.code}").get_data(as_text=True)
    shown = " ".join(text.replace("\u202e", "").split())
    assert html.unescape(page).count(shown) >= 3
    for piece in ("<script>alert", "<img src=x", "<svg onload", "<b>tebal", "' onfocus='"):
        assert piece not in page


def test_the_stocks_pages_are_6_kb_and_ask_no_more_for_many(sign_in):
    client = sign_in("farmasi")
    rows = list(db.session.scalars(select(Medicine).order_by(Medicine.position)))[:60]
    actor_rows = [(row, number) for row in rows for number in ("A1234", "B98765")]
    with transaction():
        for row, number in actor_rows[:10]:
            pharmacy.receive(row, 5, number)
    client.get("/farmasi/stok")
    with count_queries() as few:
        client.get("/farmasi/stok")
    with transaction():
        for row, number in actor_rows[10:]:
            pharmacy.receive(row, 5, number)
        for _ in range(60):
            pharmacy.receive(rows[0], 5, "A1234")
    with count_queries() as many:
        client.get("/farmasi/stok")
    assert len(few) == len(many)
    client.is_checking = False
    for url in ("/farmasi/stok", "/farmasi/stok?lihat=semua", f"/farmasi/stok/{rows[0].code}"):
        answer = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert len(gzip.decompress(answer.data)) > 10_000
        assert len(answer.data) <= 6 * 1024, (url, len(answer.data))
