"""Is everything all right, and how does one work with Alur?"""

import platform
import tomllib
from pathlib import Path

from flask import current_app, render_template
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import access
from blueprints.system.desk import bp
from clinic import system_status
from db import db
from models import Role

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
VERSION = tomllib.loads(_PROJECT.read_text())["project"]["version"]
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/healthz")
@access.public
def healthz():
    """For a supervisor: does the database answer? No login, no session."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return "database does not answer", 503, PLAIN
    return "ok", 200, PLAIN


@bp.get("/sistem")
@access.allow(Role.HEAD, Role.OPERATOR)
def status():
    """Figures about the machine and counts of the day, no patient: the operator may see them."""
    return render_template(
        "system/status.html",
        checks=system_status.checks(current_app.config["ALUR"].data),
        version=VERSION,
        python=platform.python_version(),
    )


@bp.get("/bantuan")
@access.public
def help_page():
    """A short guide for every desk; open to all, so that a newcomer reads it before logging in."""
    return render_template("system/help_page.html")
