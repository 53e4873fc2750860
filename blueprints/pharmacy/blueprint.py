"""What the pharmacy's pages share: the blueprint, who may open them, their tabs."""

from flask import Blueprint, abort, request, url_for
from flask_login import current_user
from sqlalchemy import select

import access
from db import db
from models import Poli, PoliKind, Role

bp = Blueprint("pharmacy", "blueprints.pharmacy")
staff = access.allow(Role.POLI, Role.HEAD)

LAST_PAGE = 9_999
TABS = (("Resep", "pharmacy.worklist"), ("Stok obat", "pharmacy.stock_list"))


@bp.before_request
def refuse_others() -> None:
    """Of poli staff those who work in a pharmacy; the head works in every room."""
    if access.has_role(Role.POLI, Role.HEAD) and not _rooms():
        abort(404)


def _rooms() -> list[Poli]:
    rooms = select(Poli).where(Poli.kind == PoliKind.PHARMACY).order_by(Poli.position)
    mine = {room.id for room in current_user.rooms}
    return [room for room in db.session.scalars(rooms) if room.id in mine]


def page_number() -> int:
    """Which page of a list the address asks for."""
    return min(max(request.args.get("halaman", 1, type=int), 1), LAST_PAGE)


@bp.context_processor
def page_tabs() -> dict:
    """Label, address and "is here" of the pages of this desk."""
    if not access.has_role(Role.POLI, Role.HEAD):
        return {"tabs": []}
    queues = [(room.name, url_for("poli.queue", code=room.code), False) for room in _rooms()]
    tabs = [(label, url_for(endpoint), request.endpoint == endpoint) for label, endpoint in TABS]
    return {"tabs": queues + tabs}
