from flask import Blueprint

from access import allow
from models import Role

bp = Blueprint("examination", __name__)
# Who writes in a record; the records desk only reads.
clinical = allow(Role.POLI, Role.HEAD)
