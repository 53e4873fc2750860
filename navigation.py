"""Where an account's work begins, and the links in each page's head."""

from functools import cache

from flask import request, url_for
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


def desk_address() -> str:
    """Where an account's work begins."""
    return url_for(DESKS[current_user.role][1])


def links() -> list[tuple[str, str, bool]]:
    """Label, address and "is here" of the links in the page's head."""
    if not current_user.is_authenticated:
        return []
    here = _desk_of(request.endpoint or "")
    return [(label, url, desk == here) for label, url, desk in _links_of(current_user.role)]


@cache  # the same on each page
def _links_of(role: Role) -> list[tuple[str, str, str]]:
    """Label, address and desk of the role's links."""
    shown = [DESKS[role], *FURTHER[role], ("Bantuan", "system.help_page")]
    return [(label, url_for(end), _desk_of(end)) for label, end in shown]


def _desk_of(endpoint: str) -> str:
    """The help page stands beside the desks, not in the one whose module holds it."""
    return endpoint if endpoint == "system.help_page" else endpoint.split(".")[0]
