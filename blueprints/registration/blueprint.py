from flask import Blueprint

from access import allow
from models import Role

bp = Blueprint("registration", __name__)
# The counter's pages; the head may stand in.
counter = allow(Role.REGISTRATION, Role.HEAD)
