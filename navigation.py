"""Where an account's work begins, the links in each page's head, and the tabs of large desks."""

from functools import cache

from flask import current_app, request, url_for
from flask_login import current_user

from models import Role

DESKS = {
    Role.REGISTRATION: ("Pendaftaran", "registration.desk"),
    Role.POLI: ("Antrean", "poli.rooms"),
    Role.RECORDS: ("Rekam medis", "records.desk"),
    Role.HEAD: ("Antrean", "poli.rooms"),
    Role.OPERATOR: ("Sistem", "system.status"),
}
FURTHER = {
    Role.REGISTRATION: [],
    Role.POLI: [("Pasien", "patients.search"), ("Laporan", "reports.desk")],
    Role.RECORDS: [("Pasien", "patients.search"), ("Laporan", "reports.desk")],
    Role.HEAD: [
        ("Pendaftaran", "registration.desk"),
        ("Pasien", "patients.search"),
        ("Rekam medis", "records.desk"),
        ("Laporan", "reports.desk"),
        ("Tutup hari", "closing.today"),
        ("Sistem", "system.status"),
    ],
    Role.OPERATOR: [("Tutup hari", "closing.today")],
}
SYSTEM_TABS = (
    ("Keadaan", "system.status"),
    ("Cadangan", "system.backup_page"),
    ("Pengguna", "system.users"),
    ("Sesi", "system.open_sessions"),
    ("Ruang", "system.rooms"),
    ("Aturan", "system.rules"),
    ("Kamus keluhan", "system.terms"),
    ("Laboratorium", "system.lab_tests"),
    ("Tindakan", "system.action_terms"),
    ("Obat", "system.medicine_list"),
    ("Wilayah", "system.villages"),
    ("Pengaturan", "system.clinic_settings"),
    ("Jam", "system.clock"),
    ("Jejak audit", "system.audit_trail"),
    ("Statistik", "self_statistics.page"),
)
RECORDS_TABS = (
    ("Pasangan mirip", "records.desk", "/rekam-medis/pasangan"),
    ("Identitas belum lengkap", "records.incomplete", "/rekam-medis/lengkapi"),
    ("Penggabungan", "records.merges", "/rekam-medis/gabung"),
    ("Pembetulan", "records.amendments_list", "/rekam-medis/pembetulan"),
    ("Impor", "records.imports_list", "/rekam-medis/impor"),
    ("Mutu data", "records.quality", "/rekam-medis/mutu"),
    ("Statistik", "self_statistics.page", "/statistik"),
)


def desk_address() -> str:
    """Where an account's work begins."""
    return url_for(DESKS[current_user.role][1])


def links() -> list[tuple[str, str, bool]]:
    """Label, address and "is here" of the links in the page's head."""
    if not current_user.is_authenticated:
        return []
    here = _desk_of(request.endpoint or "")
    if here == "self_statistics":
        here = "records" if is_records_tab() else "system"
    return [(label, url, desk == here) for label, url, desk in _links_of(current_user.role)]


@cache  # the same on each page
def _links_of(role: Role) -> list[tuple[str, str, str]]:
    """Label, address and desk of the role's links."""
    shown = [DESKS[role], *FURTHER[role], ("Bantuan", "system.help_page")]
    return [(label, url_for(end), _desk_of(end)) for label, end in shown]


def _desk_of(endpoint: str) -> str:
    """The help page stands beside the desks, not in the one whose module holds it."""
    return endpoint if endpoint == "system.help_page" else endpoint.split(".")[0]


# --- Tabs: label, address and "is here" -------------------------------------------------------


def is_records_tab() -> bool:
    """Whether a page that is a tab of two desks is shown as the records desk's."""
    return current_user.role is Role.RECORDS


def system_tabs() -> list[tuple[str, str, bool]]:
    """The pages of /sistem that this account may open."""
    views = current_app.view_functions
    allowed = [tab for tab in SYSTEM_TABS if current_user.role in views[tab[1]].access]
    return [(label, url_for(end), _is_here(end)) for label, end in allowed]


def _is_here(endpoint: str) -> bool:
    path = url_for(endpoint)
    return request.path == path or (path != "/sistem" and request.path.startswith(f"{path}/"))


def records_tabs() -> list[tuple[str, str, bool]]:
    """The pages of /rekam-medis."""
    return [
        (label, url_for(end), request.endpoint == end or request.path.startswith(below))
        for label, end, below in RECORDS_TABS
    ]
