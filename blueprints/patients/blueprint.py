"""The blueprint of the patients' pages, and who may open them."""

from flask import Blueprint

import access
from clinic import triage
from models import Role

bp = Blueprint("patients", "blueprints.patients")
readers = access.allow(Role.POLI, Role.RECORDS, Role.HEAD)
clinical = access.allow(Role.POLI, Role.HEAD)


@bp.context_processor
def what_may_be_corrected() -> dict:
    """Whether the author of a triage note may still correct it."""
    return {"triage_is_free": triage.is_free}
