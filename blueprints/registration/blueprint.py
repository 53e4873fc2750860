from flask import Blueprint

from access import allow
from clinic import allergies, todays_visits
from models import Role

bp = Blueprint("registration", __name__)
# The counter's pages; the head may stand in.
counter = allow(Role.REGISTRATION, Role.HEAD)


@bp.context_processor
def of_its_pages() -> dict:
    """What the banner of a patient says in red, and where a visit is."""
    return {"allergy_mark": allergies.mark, "standing": todays_visits.standing}
