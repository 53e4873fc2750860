"""A report from the terminal, as the file that its page gives: counts only, nobody's name."""

import click

from clinic import report_files, report_locks, report_periods, settings
from clinic.report_definitions import REPORTS
from terminal import tells_storage_faults


@click.command("report")
@click.argument("code", type=click.Choice([*REPORTS]))
@click.argument("period")
@tells_storage_faults
def report_command(code: str, period: str) -> None:
    """Print a report of a day, a month or a year as CSV: lb1 11-2026, rekap 21-11-2026."""
    asked = report_periods.typed(period)
    if asked is None:
        raise click.ClickException(report_periods.HOW)
    report = REPORTS[code]
    shown = report_locks.shown(report, asked)
    locked_at = shown.lock.locked_at if shown.lock else None
    head = report_files.head(settings.values(), report.title, asked.label, locked_at)
    rows = report_files.lines(head, shown.tables, report.definition)
    click.echo(report_files.as_csv(rows), nl=False)


COMMANDS = (report_command,)
