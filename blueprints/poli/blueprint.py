"""The blueprint of the rooms' queues, and who may open them."""

from flask import Blueprint

import access
from models import Role

bp = Blueprint("poli", "blueprints.poli")
STAFF = (Role.POLI, Role.HEAD)
staff = access.allow(*STAFF)
