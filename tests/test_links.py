"""Wherever a link leads, there is something: all links of all pages, for each kind of account."""

import html
import re
from collections import Counter

import pytest

from tests import factories
from tests.pages import PageClient, post

pytestmark = pytest.mark.engines("sqlite")
# Pages that differ only in whom they show; the first few are looked at.
KIND = re.compile(
    r"(?<=/laporan/)[a-z]\w+|[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d+\b|(?<=/)[A-Z]{2,}\b|(?<==)[^&]+"
)
ENOUGH = 4
DESKS = {
    "loket": "/pendaftaran",
    "umum": "/poli/UMUM",
    "lab": "/poli/LAB",
    "rekammedis": "/pasien",
    "kepala": "/sistem",
    "ti": "/sistem",
}


@pytest.fixture
def morning(sign_in) -> None:
    """Patients who wait, were called, are served, went on, left, and one not yet registered."""
    room, counter = sign_in("umum"), sign_in("loket")
    steps = ([], ["panggil"], ["mulai"], ["mulai", "selesai"], ["panggil", "lewati"], ["batal"])
    for name, actions in zip(("Ana", "Budi", "Citra", "Dewi", "Eka", "Fajar"), steps, strict=True):
        ref = factories.entry("UMUM", factories.patient(name)).public_id
        for action in actions:
            post(room, f"/antrean/{ref}/{action}", {"alasan": "salah mendaftar"})
    factories.entry("LAB", factories.patient("Gita"))
    form = {"name": "Hana", "sex": "P", "birth_date": "01-02-1990", "address": "Jalan Mawar"}
    form |= {"no_nik_reason": "LUPA_KARTU", "complaint": "sakit gigi", "poli": "GIGI"}
    assert post(counter, "/pendaftaran/baru", form).status_code == 303


def links_of(page: str, path: str) -> list[str]:
    found = re.findall(r'<a\b[^>]*?\shref="([^"]*)"', page)
    return [path + link if link[:1] in "#?" else html.unescape(link) for link in found]


def dead_ends(client: PageClient, start: str) -> tuple[list[str], Counter[str]]:
    """What links lead to from here that is missing or refused, and the kinds of pages seen."""
    waiting, seen, kinds, dead = [start, "/bantuan"], set(), Counter(), []
    while waiting:
        link = waiting.pop(0)
        path, _, anchor = link.partition("#")
        kind = KIND.sub("*", link)
        if link in seen or kinds[kind] >= ENOUGH:
            continue
        seen.add(link)
        kinds[kind] += 1
        answer = client.get(path)
        is_text = answer.mimetype.startswith("text/")
        page = answer.get_data(as_text=True) if is_text else ""
        if answer.location:
            waiting.append(answer.location)
        elif answer.status_code != 200 or (anchor and f'id="{anchor}"' not in page):
            dead.append(f"{answer.status_code} {link}")
        elif not anchor:
            waiting += links_of(page, path)
    return dead, kinds


@pytest.mark.parametrize("username", DESKS)
def test_every_link_leads_somewhere(morning, sign_in, username):
    client = sign_in(username)
    if username in ("loket", "rekammedis"):
        post(client, DESKS[username], {"q": "ana"})
    dead, kinds = dead_ends(client, "/")
    assert not dead
    assert KIND.sub("*", DESKS[username]) in kinds
    assert not [kind for kind in kinds if kind.startswith("/masuk")], "logged out on the way"
