"""The blueprint of the patients' pages, and who may open them."""

from flask import Blueprint

import access
from models import Role

bp = Blueprint("patients", "blueprints.patients")
readers = access.allow(Role.POLI, Role.RECORDS, Role.HEAD)
clinical = access.allow(Role.POLI, Role.HEAD)
