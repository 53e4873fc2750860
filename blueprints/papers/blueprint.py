from flask import Blueprint

from access import allow
from models import Role

bp = Blueprint("papers", __name__)
# Who may read and print what was issued; only poli staff issue.
readers = allow(Role.POLI, Role.RECORDS, Role.HEAD)
issuers = allow(Role.POLI)
