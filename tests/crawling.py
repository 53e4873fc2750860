"""What one account can read: pages by their links, from the desks on."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html import unescape

from tests.pages import PageClient

LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
OF_REPORTS = r"(?<=/daftar\?).*|(?<=periode=)[\d-]+|"  # each period leads to another
REF = re.compile(
    OF_REPORTS + r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)(?:\d+|[A-Z][A-Z0-9-]+)(?=/|$|\?)|(?<==)[\w-]+$"
)
# What does not show a patient, or shows what another page shows; and what needs no look.
NOT_FOLLOWED = ("/static/", "/keluar", "/bantuan", "/rekam-medis/impor", "/pendaftaran/baru?")
NOT_FOLLOWED += ("/akun", "/masuk")
NOT_FOLLOWED += tuple(f"/sistem/{name}" for name in ("kamus", "wilayah", "tindakan", "pengguna"))
NOT_FOLLOWED += tuple(f"/sistem/{name}/" for name in ("aturan", "obat", "laboratorium", "ruang"))
# Of these each is another one; of the rest one of a kind is enough.
NOT_FOLLOWED += ("/laporan/form", "/laporan/stp", "/laporan/ispa", "/laporan/kunjungan")  # as lb1
ALL_OF = {"/kunjungan/*", "/kunjungan/*?antrean=*", "/kunjungan/*/farmasi", "/surat/*"}
ALL_OF |= {
    "/pasien/*",
    "/kunjungan/*/label",
    "/pasien/*/kunjungan/*",
    "/pemeriksaan/*/riwayat",
    "/farmasi/batch/*",
}


def crawl(client: PageClient, starts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Address and text of each page; one that fails is an error."""
    starts, seen, kinds = list(starts), set(), Counter()
    waiting = [*starts]
    while waiting:
        url = waiting.pop()
        kind = REF.sub("*", url)
        is_known = url in seen or (kinds[kind] and kind not in ALL_OF and url not in starts)
        if is_known or url.startswith(NOT_FOLLOWED) or "/baris?v=" in url:
            continue
        seen.add(url)
        kinds[kind] += 1
        answer = client.get(url, follow_redirects=True)
        if answer.status_code == 204 and "/susulan?" in url:  # no words came behind the page
            continue
        assert answer.status_code == 200, (url, answer.status_code)
        if answer.mimetype != "text/html":  # a file
            continue
        page = answer.get_data(as_text=True)
        yield url, page
        waiting += map(unescape, LINK.findall(page))
