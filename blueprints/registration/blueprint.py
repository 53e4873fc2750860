from flask import Blueprint

from access import allow
from clinic import allergies
from models import Role

bp = Blueprint("registration", __name__)
# The counter's pages; the head may stand in.
counter = allow(Role.REGISTRATION, Role.HEAD)


@bp.context_processor
def allergy_mark() -> dict:
    """What the banner of a patient says in red."""
    return {"allergy_mark": allergies.mark}
