"""What the pages of /laporan share: who may open which report, of which period and room."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from flask import Blueprint, Flask, Response, abort, current_app, request
from flask_login import current_user

import access
from clinic import days, report_files, report_periods, signed_in
from clinic.audit import record
from clinic.report_definitions import REPORTS, Report
from clinic.report_periods import Period
from clinic.signed_in import Room
from db import transaction
from models import Role

bp = Blueprint("reports", "blueprints.reports")
staff = access.allow(Role.RECORDS, Role.HEAD)
# Poli staff see the recap of their rooms, and lists of the day on which they work there.
with_rooms = access.allow(Role.RECORDS, Role.HEAD, Role.POLI)
RECAP = "rekap"
PATIENCE, NICENESS = 10, 15  # seconds; of 19
FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Found = TypeVar("Found")
_turn = threading.Lock()


@bp.context_processor
def signer() -> dict[str, str]:
    """Whose name stands under what is printed."""
    return {"report_head": access.page_settings()["report_head"]}


@dataclass(frozen=True)
class Asked:
    """What an address asks for; `problem` where the period could not be read."""

    period: Period
    room: Room | None
    problem: str = ""

    @property
    def room_code(self) -> str:
        return self.room.code if self.room else ""

    @property
    def args(self) -> dict[str, str]:
        """The same in an address: codes only."""
        return {"periode": self.period.code} | ({"ruang": self.room.code} if self.room else {})


def report_or_404(code: str) -> Report:
    """The report, if the account may see it: poli staff the recap only."""
    report = REPORTS.get(code)
    if report is None or (access.has_role(Role.POLI) and code != RECAP):
        abort(404)
    return report


def asked(kind: str = "day", *, has_room: bool = True) -> Asked:
    """Period (default: the newest day's, month or year) and room of this request."""
    fallback = report_periods.of_day(today(), kind)
    text = request.args.get("periode", "")
    period = report_periods.typed(text) if text else fallback
    problem = "" if period else report_periods.HOW
    return Asked(period or fallback, _room() if has_room else None, problem)


def _room() -> Room | None:
    """The room asked for. Poli staff always look at one of their own."""
    rooms, code = rooms_offered(), request.args.get("ruang", "")
    if not code and not access.has_role(Role.POLI):
        return None
    fitting = [room for room in rooms if code in ("", room.code)]
    if not fitting:
        abort(404)
    return fitting[0]


def rooms_offered() -> list[Room]:
    """The rooms that the account may ask about."""
    if access.has_role(Role.POLI):
        return current_user.rooms
    return signed_in.all_rooms()


def today() -> date:
    """The service day that goes on, else the calendar's."""
    day = days.current_day()
    return day.on if day else days.clinic_date()


def may_list(period: Period) -> bool:
    """Poli staff list visits of the service day only, as they open records."""
    return not access.has_role(Role.POLI) or period.code == today().isoformat()


def refuse_list(period: Period) -> None:
    """404 where the account may not list visits of this period."""
    if not may_list(period):
        abort(404)


def aside(period: Period, work: Callable[[], Found]) -> Found:
    """What `work` counts. More than a day is counted behind the counter's back, one at a time.

    Waits for another one to be done; 503 after a while.
    """
    if period.kind == "day":
        return work()
    if not _turn.acquire(timeout=PATIENCE):
        abort(503)
    try:
        application = current_app._get_current_object()
        return _behind.submit(_within, application, work).result()
    finally:
        _turn.release()


def _step_back() -> None:
    """This thread alone gives way to those that save and to the screens (a feature of Linux)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_behind = ThreadPoolExecutor(1, "reports", _step_back)


def _within(application: Flask, work: Callable[[], Found]) -> Found:
    with application.app_context():
        return work()


def note_list(action: str, report: str, details: str) -> None:
    """Log that visits were listed, by codes; in its own short transaction, as each look is."""
    actor = access.current_actor()
    with transaction():
        record(actor, action, object_type="report", object_ref=report, details=details)


def file_of(rows: Iterable[Sequence[report_files.Cell]], form: str, name: str) -> Response:
    """These rows as a file to keep."""
    make = {"csv": report_files.as_csv, "xlsx": report_files.as_xlsx}[form]
    response = Response(make(rows), mimetype=FORMATS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
