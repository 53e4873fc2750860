"""The recap of a day as its close keeps it: a row, and files for whoever reads no database.

The close calls `keep` inside its transaction and `write` after it; both may be repeated: the same
figures make no second row, the same files are written again. Other figures are a new version.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from clinic import (
    audit,
    report_files,
    report_lists,
    report_locks,
    report_periods,
    report_tables,
    settings,
)
from clinic.audit import Actor
from clinic.report_definitions import REPORTS
from clinic.report_periods import Period
from clinic.report_tables import Table
from db import add_row, db
from models import DayRecap, ServiceDay

RECAP = REPORTS["rekap"]


def keep(actor: Actor, day: ServiceDay) -> DayRecap:
    """Keep the day's recap as the record gives it now; the kept one when nothing has changed."""
    figures = _figures(day)
    digest = report_locks.digest(figures)
    before = latest(day)
    if before and before.digest == digest:
        return before
    version = before.version + 1 if before else 1
    made = DayRecap(
        service_day_id=day.id,
        version=version,
        figures=figures,
        digest=digest,
        made_by_id=actor.user_id,
    )
    details = f"{day.on.isoformat()} {version}"
    audit.record(actor, "keep_day_recap", add_row(made), details=details)
    return made


def problems(kept: DayRecap) -> list[str]:
    """The sums that do not hold, in words."""
    tables = map(report_tables.from_json, kept.figures["tables"])
    return [problem for table in tables for problem in table.problems]


def latest(day: ServiceDay) -> DayRecap | None:
    """The newest recap that was kept of this day."""
    kept = select(DayRecap).where(DayRecap.service_day_id == day.id)
    return db.session.scalar(kept.order_by(DayRecap.version.desc()).limit(1))


def _figures(day: ServiceDay) -> dict:
    period = report_periods.of_day(day.on, "day")
    tables = report_tables.fill(RECAP.sections, period)
    return _told(period, tables, report_lists.gaps(RECAP, period))


def _told(period: Period, tables: Iterable[Table], gaps: Iterable[tuple]) -> dict:
    return {
        "clinic": settings.value("clinic_name"),
        "day": period.code,
        "tables": [table.as_json() for table in tables],
        "gaps": [list(gap) for gap in gaps],
    }


def compared(
    period: Period, tables: Iterable[Table], gaps: Iterable[tuple]
) -> tuple[DayRecap, bool] | None:
    """The recap that was kept of this day, and whether these figures are the same still."""
    day = db.session.scalar(select(ServiceDay).where(ServiceDay.on == period.first))
    kept = latest(day) if day else None
    if kept is None:
        return None
    return kept, report_locks.digest(_told(period, tables, gaps)) == kept.digest


# --- Files ------------------------------------------------------------------------------------


def write(kept: DayRecap, folder: Path) -> list[Path]:
    """JSON, CSV and their checksums (for `sha256sum -c`); each appears whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"rekap-{kept.figures['day']}-v{kept.version}"
    contents = {f"{name}.json": _json(kept), f"{name}.csv": _csv(kept)}
    sums = [f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in contents.items()]
    contents[f"{name}.sha256"] = "".join(sums).encode()
    return [_write_whole(folder / file, data) for file, data in contents.items()]


def _json(kept: DayRecap) -> bytes:
    told = {"version": kept.version, "made_at": kept.made_at.isoformat(), "digest": kept.digest}
    return json.dumps(told | kept.figures, ensure_ascii=False, indent=1).encode()


def _csv(kept: DayRecap) -> bytes:
    figures = kept.figures
    period = report_periods.parse(figures["day"])
    head = [figures["clinic"], RECAP.title, period.label, f"Versi {kept.version}"]
    tables = [report_tables.from_json(table) for table in figures["tables"]]
    rows = report_files.lines(head, tables, RECAP.definition)
    gaps = [[], ["Belum lengkap"], *([label, count] for _, label, count in figures["gaps"])]
    return report_files.as_csv([*rows, *gaps])


def _write_whole(path: Path, data: bytes) -> Path:
    beside = path.with_suffix(f"{path.suffix}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path
