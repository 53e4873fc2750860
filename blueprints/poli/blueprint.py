"""The blueprint of the rooms' queues, and who may open them."""

from flask import Blueprint

import access
from models import Role

bp = Blueprint("poli", "blueprints.poli")
staff = access.allow(Role.POLI, Role.HEAD)
