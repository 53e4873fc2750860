"""Is everything all right, and how does one work with Alur?"""

from flask import current_app, render_template
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import access
from blueprints.system.desk import bp
from clinic import (
    disk_space,
    self_check,
    speed,
    status_check,
    storage_faults,
    system_status,
    versions,
)
from db import db, utcnow
from models import Role

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/healthz")
@access.public
def healthz():
    """For a supervisor: does the database answer? No login, no session."""
    try:
        db.session.execute(text("SELECT version_num FROM alembic_version"))  # it is really read
    except SQLAlchemyError as problem:
        if storage_faults.may_tell_of_probe():
            current_app.logger.warning("the database does not answer: %s", problem)
        db.session.remove()
        db.engine.dispose()
        return "database does not answer", 503, PLAIN
    return "ok", 200, PLAIN


@bp.get("/sistem")
@access.allow(Role.HEAD, Role.OPERATOR)
def status():
    """Figures about the machine and counts of the day, no patient: the operator may see them."""
    data = current_app.config["ALUR"].data
    current_app.extensions["speed"].flush()
    hour, at = speed.last_hour(data / "state"), utcnow()
    running = versions.versions()
    checks = system_status.checks(data, at)
    checks.append(self_check.summary(at, [check.name for check in checks]))
    checks.append(system_status.speed_of(hour))
    return render_template(
        "system/status.html",
        checks=checks,
        versions=running,
        running_since=status_check.ago(at - running.started_at),
        slowest=hour.slowest(),
        findings=[
            (row, status_check.ago(at - row.checked_at))
            for row in self_check.newest()
            if row.name not in {check.name for check in checks} or row.state != "Baik"
        ],
        has_ballast=disk_space.held_back(data) > 0,
    )


@bp.get("/bantuan")
@access.public
def help_page():
    """A short guide for every desk; open to all, so that a newcomer reads it before logging in."""
    return render_template("system/help_page.html")


@bp.get("/bantuan/pengelola")
@access.public
def managers_help():
    """What the head and the operator do now and then, apart from what the desks need each day."""
    return render_template("system/managers_help.html")


@bp.get("/bantuan/tombol")
@access.public
def keys_page():
    """The access keys of every desk, on a page to be printed beside the screen."""
    return render_template("system/keys_page.html")
