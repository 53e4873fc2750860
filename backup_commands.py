"""Backups from the terminal, and the job behind the page that restores."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from flask import current_app
from sqlalchemy import func, select

import trail_commands
from clinic import (
    audit,
    backup_keys,
    backup_worker,
    backups,
    drills,
    restoring,
    settings,
)
from clinic.backup_manifest import BackupProblem
from clinic.restore_reading import Trust
from clinic.restoring import Status
from db import db, transaction
from models import Backup, BackupKind, BackupState, DrillKind, Patient
from terminal import tells_storage_faults

KINDS = [kind.value for kind in BackupKind if kind is not BackupKind.PERIODIC]
NICENESS = 10


def _data() -> Path:
    return current_app.config["ALUR"].data


# --- Making one -----------------------------------------------------------------------------------


@click.command("backup")
@click.option("--kind", type=click.Choice(KINDS), default=BackupKind.MANUAL.value)
@tells_storage_faults
def backup_command(kind: str) -> None:
    """Make a backup now and wait for it. Exit code 1 when it is not whole."""
    trail_commands.refuse_other_key()
    with transaction():
        backup_id = backups.ask(audit.SYSTEM, BackupKind(kind)).id
    while True:  # the worker may be quicker, which is as good
        backup_worker.run(_data())
        db.session.rollback()
        backup = db.session.get_one(Backup, backup_id)
        if backup.state not in backups.PENDING:
            break
        time.sleep(1)
    if backup.state != BackupState.DONE:
        raise click.ClickException(backup.problem)
    click.echo(f"Cadangan selesai dan sudah diperiksa: {backup.name}")
    for copy in backup.copies:
        click.echo(f"  {copy.place}: {copy.reason or 'ada dan terbaca kembali'}")


# --- Opening one aside ----------------------------------------------------------------------------


def trust_of_this_server() -> Trust:
    """What is known here; a server without real patients takes any clinic's backup."""
    has_patients = db.session.scalar(select(func.count(Patient.id))) > 0
    is_clinic = has_patients and not settings.value("is_demo")
    ref = settings.value("clinic_ref") if is_clinic else ""
    return Trust(ref, backup_keys.own_signing_key(_data() / "keys"))


@click.command("open-backup")
def open_backup_command() -> None:
    """The page's job: its order comes in JSON on standard input, the key in it nowhere else."""
    order = json.load(sys.stdin)
    os.nice(NICENESS)
    status = restoring.status_of(_data(), order["mark"])
    try:
        status = _put_back(order, status) if order["is_undo"] else _opened(order, status)
    except BackupProblem as problem:
        status = replace(status, state="refused", sentence=str(problem))
    except Exception:
        current_app.logger.exception("a backup could not be opened")
        status = replace(status, state="refused", sentence="Gagal; sebabnya ada di log server.")
    finally:
        if order["is_upload"]:
            Path(order["source"]).unlink(missing_ok=True)
    if status.is_drill:
        _keep_drill(order, status)
    restoring.keep_status(_data(), status)


def _opened(order: dict, status: Status) -> Status:
    data, url, secret = _data(), db.engine.url, order["secret"]
    trust, source = trust_of_this_server(), Path(order["source"])
    db.session.rollback()
    if not status.is_drill:
        opened = restoring.open_side(data, url, status.mark, source, secret, trust)
    else:  # the card itself tells whose backup it is
        place, trust = restoring.side(data, status.mark), replace(trust, clinic_ref="")
        opened = restoring.check(url, status.mark, place, source, secret, trust)
        restoring.discard(url, status.mark, place)
    return replace(
        status,
        state="checked" if status.is_drill else "ready",
        is_signed=opened.is_signed,
        compared=opened.compared,
        manifest=opened.manifest,
        code=drills.code(opened.manifest, backup_keys.signing_key(secret)) if secret else "",
    )


def _put_back(order: dict, status: Status) -> Status:
    """Bring the set that was put aside up to date, and have it used again."""
    data = _data()
    restoring.prepare_set_aside(data, db.engine.url, status.mark)
    restoring.ask_switch(data, status.mark, by=order["by"], reason=order["reason"])
    return replace(status, state="set_aside")


def _keep_drill(order: dict, status: Status) -> None:
    found = drills.Found(status.name, DrillKind.PAPER, status.compared)
    if status.state == "refused":
        found.problems.append(status.sentence)
    with transaction():
        drills.keep(audit.Actor(order["user_id"], order["role"], order["device"]), found)


COMMANDS = (backup_command, open_backup_command)
