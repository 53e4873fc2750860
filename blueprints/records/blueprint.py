"""What the pages of /rekam-medis share: the blueprint, who may open them, their tabs."""

from flask import Blueprint, request, url_for

import access
from models import Role

bp = Blueprint("records", "blueprints.records")
staff = access.allow(Role.RECORDS, Role.HEAD)

TABS = (
    ("Pasangan mirip", "records.desk", "/rekam-medis/pasangan"),
    ("Identitas belum lengkap", "records.incomplete", "/rekam-medis/lengkapi"),
    ("Penggabungan", "records.merges", "/rekam-medis/gabung"),
    ("Pembetulan", "records.amendments_list", "/rekam-medis/pembetulan"),
    ("Impor", "records.imports_list", "/rekam-medis/impor"),
    ("Mutu data", "records.quality", "/rekam-medis/mutu"),
    ("Statistik", "self_statistics.page", "/statistik"),
)


@bp.context_processor
def page_tabs() -> dict:
    """Label, address and "is here" of the pages of this desk."""
    tabs = [(label, url_for(endpoint), endpoint, below) for label, endpoint, below in TABS]
    return {
        "tabs": [
            (label, url, request.endpoint == endpoint or request.path.startswith(below))
            for label, url, endpoint, below in tabs
        ]
    }
