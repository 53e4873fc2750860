"""All rooms at a glance: the head's first page, whose tiles are asked for again and again."""

import hashlib
from typing import NamedTuple

from flask import current_app, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
import sessions
from blueprints.poli.blueprint import STAFF, bp, staff
from clinic import accounts, backup_status, days, lab_alerts, queue_watch, slip_records
from clinic.signed_in import Account, Room
from clinic.status_check import Check
from models import Role


class Tile(NamedTuple):
    room: Room
    waiting: int
    unread: str  # what to say of results that nobody there read


class Overview(NamedTuple):
    """All that the tiles' fragment shows."""

    tiles: list[Tile]
    closed: list[str]  # the account's rooms that are not in use
    on_paper: int
    checks: list[Check]

    @property
    def version(self) -> str:
        """Of what is seen, results and backups too: no counter is raised by all of these."""
        return hashlib.sha256(repr(tuple(self)).encode()).hexdigest()[:16]


@bp.get("/poli")
@staff
def rooms():
    mine = queue_watch.of_staff(current_user.rooms)
    if mine and not access.has_role(Role.HEAD):
        return redirect(url_for("poli.queue", code=mine[0].code), 303)
    is_new_clinic = access.has_role(Role.HEAD) and accounts.is_new_clinic()
    return render_template(
        "poli/rooms.html", overview=_overview(current_user), is_new_clinic=is_new_clinic
    )


# Takes no room's address: codes are written in capitals.
@bp.get("/poli/baris")
@access.polled
def room_tiles():
    """The tiles alone; an unchanged poll is a bare 204, and none touches the session."""
    account = sessions.polling_user()
    if account is None:
        return Response(
            status=401, headers={"HX-Redirect": access.login_address(url_for("poli.rooms"))}
        )
    if account.role not in STAFF:
        return Response(status=403)
    overview = _overview(account)
    if request.args.get("v") == overview.version:
        return Response(status=204, headers={"Cache-Control": "no-store"})
    # Rendered without what every page gets: that would load the session.
    page = current_app.jinja_env.get_template("poli/_room_tiles.html").render(overview=overview)
    return Response(page, mimetype="text/html")


def _overview(account: Account) -> Overview:
    mine = queue_watch.of_staff(account.rooms)
    board = queue_watch.board(days.current_day(), mine)
    unread = lab_alerts.rooms_with_unread()
    return Overview(
        [
            Tile(room, each.waiting, unread.get(room.id, ""))
            for room, each in zip(mine, board.rooms, strict=True)
        ],
        [each.name for each in account.rooms if each not in mine],
        slip_records.count_unwritten([each.id for each in account.rooms]),
        backup_status.for_front_page() if account.role is Role.HEAD else [],
    )
