"""What the pages of /rekam-medis share: the blueprint, who may open them, their tabs."""

from flask import Blueprint

import access
import navigation
from models import Role

bp = Blueprint("records", "blueprints.records")
staff = access.allow(Role.RECORDS, Role.HEAD)


@bp.context_processor
def page_tabs() -> dict:
    """Above each page of this desk."""
    return {"tabs": navigation.records_tabs()}
