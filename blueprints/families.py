"""The family page: the people of one card, with the number of their folder."""

from flask import Blueprint, render_template

import access
from clinic import days, households
from models import Role

bp = Blueprint("families", __name__)


@bp.get("/keluarga/<household>")
@access.allow(Role.REGISTRATION, Role.RECORDS, Role.HEAD)
def family(household: str):
    """Members of a household, oldest first."""
    found = access.household_or_404(household)
    members = households.members(found)
    access.record_family_view(found, [member.patient for member in members])
    visit, today = households.latest_visit(found), days.clinic_date()
    return render_template(
        "families/family.html",
        household=found,
        members=members,
        visit=visit,
        kin=households.kin_with_mother(visit.patient, today) if visit else [],
        may_register=access.has_role(Role.REGISTRATION, Role.HEAD),
        today=today,
    )
