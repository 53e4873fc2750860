"""`make upgrade` with real releases, a real server and real kills."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy import inspect, make_url

from clinic import audit, backup_making
from config import read_config
from db import db, transaction
from deploy import databases as deploy_databases
from deploy import releases, settings_file
from deploy.service import Process
from deploy.upgrade import Upgrade
from tests import factories
from tests.backing_up import back_up
from tests.browser import PATIENCE
from tests.folders import temporary_folder
from tests.postgres import free_port

ROOT = Path(__file__).parent.parent
HEAD = ["--clinic", "Puskesmas Melati", "--time-zone", "WITA", "--internet", ""]
HEAD += ["--head-name", "dr. Ratna", "--head-username", "ratna"]
MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision = {new!r}
down_revision = {old!r}
def upgrade():
    op.create_table('of_{new}', sa.Column('id', sa.Integer(), primary_key=True))
    {then}
def downgrade():
    op.drop_table('of_{new}')
"""
KILLED_AT = """
import os, signal
from deploy import upgrade
note = upgrade.Upgrade.note
def killed(self, step, **more):
    note(self, step, **more)
    if step == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)
upgrade.Upgrade.note = killed
upgrade.main([])
"""


class Clinic:
    """An installed release with its data, both in a folder of their own."""

    def __init__(self):
        self.folder = temporary_folder()
        self.home, self.data = self.folder / "home", self.folder / "data"
        self.environ = {
            **{key: text for key, text in os.environ.items() if not key.startswith("MAKE")},
            "ALUR_HOME": str(self.home),
            "ALUR_DATA": str(self.data),
            "ALUR_DEMO": "0",
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "DATABASE_URL": "",
        }
        config = read_config(self.environ)
        config.make_folders()
        (self.folder / "passphrase").write_text("kuda berlari di pantai")
        with pytest.MonkeyPatch.context() as patch:  # what it needs is compiled when it runs
            patch.setattr(releases, "compile_all", lambda _release: None)
            release = releases.install(self.source("first"), self.home)
        options = ["--head-password-file", str(self.folder / "passphrase")]
        self.run(release, "-m", "flask", "--app", "app", "setup", *HEAD, *options)
        self.upgrade = Upgrade(self.home, config, Process(self.home, config))
        self.upgrade._switch(release)

    def source(self, name: str) -> Path:
        made = self.folder / name
        releases.copy_source(ROOT, made)
        (made / "VERSI").write_text(name)
        (made / ".venv").symlink_to(sys.prefix)
        return made

    def newer(self, name: str, then: str = "pass") -> Path:
        """A source with one more migration, which goes on with `then`."""
        made = self.source(name)
        text = MIGRATION.format(new=name, old=newest_revision(), then=then)
        (made / "migrations" / "versions" / f"{name}.py").write_text(text)
        return made

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
        python = folder / ".venv" / "bin" / "python"
        return subprocess.run(
            [str(python), *arguments],
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
        )

    def query(self, sql: str):
        with contextlib.closing(sqlite3.connect(self.data / "db" / "alur.db")) as connection:
            found = connection.execute(sql).fetchall()
            connection.commit()
            return found

    def start(self) -> None:
        os.environ.update(self.environ)
        self.upgrade._start_healthy(self.upgrade.current)

    def is_whole(self) -> bool:
        return self.query("PRAGMA integrity_check") == [("ok",)] and self.query(
            "SELECT value FROM setting WHERE key = 'mark'"
        ) == [('"x"',)]

    @property
    def revision(self) -> str:
        return self.query("SELECT version_num FROM alembic_version")[0][0]


def newest_revision() -> str:
    """The one that no other follows on."""
    found, followed = set(), set()
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        text = path.read_text()
        found.add(re.search(r"^revision = ['\"](.+?)['\"]", text, re.M)[1])
        followed |= set(re.findall(r"^down_revision = ['\"](.+?)['\"]", text, re.M))
    return (found - followed).pop()


NEWER = "CREATE TABLE of_newer (id integer REFERENCES visit (id))"


@pytest.fixture
def clinic():
    environ = dict(os.environ)
    made = Clinic()
    yield made
    made.upgrade.service.stop()
    os.environ.clear()
    os.environ.update(environ)
    shutil.rmtree(made.folder, ignore_errors=True)


def test_a_killed_upgrade_is_undone_at_the_next_start(clinic):
    """The whole way with servers is in `make torture`: here nothing runs but the steps."""
    clinic.query("INSERT INTO setting (key, value) VALUES ('mark', '\"x\"')")
    old, before = clinic.upgrade.current, clinic.revision
    killed = clinic.run(clinic.newer("good"), "-c", KILLED_AT.format(step="switching"))
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert (clinic.upgrade.current, clinic.revision) == (old, "good")
    started = clinic.run(old, "deploy/prepare.py")
    assert "dikembalikan seperti sebelumnya" in started.stdout, started.stderr
    assert started.returncode == 0
    assert clinic.revision == before
    assert clinic.is_whole()
    assert clinic.upgrade.state() == {}
    # Given in any folder, a command is the installed clinic's (`make backup`).
    made = clinic.run(clinic.folder / "good", "deploy/command.py", "backup")
    assert f"Folder data: {clinic.data}" in made.stdout, made.stderr
    assert list(clinic.data.glob("backups/cadangan-*.alur"))


def test_a_copy_is_put_back_as_it_was(app, tmp_path):
    url = make_url(app.config["ALUR"].database_url)
    copy = tmp_path / "copy"
    db.engine.dispose()
    deploy_databases.make_copy(url, copy)
    entries = deploy_databases.entries(url)
    with transaction():
        audit.record(audit.SYSTEM, "test")
    db.session.remove()
    db.engine.dispose()
    assert deploy_databases.entries(url) == entries + 1
    with db.engine.begin() as connection:  # as by a newer release
        connection.exec_driver_sql(NEWER)
    db.engine.dispose()
    deploy_databases.put_back(url, copy)
    assert not inspect(db.engine).has_table("of_newer"), "what only the newer one had is aside"
    db.engine.dispose()
    assert deploy_databases.entries(url) == entries
    assert copy.stat().st_mode & 0o077 == 0
    with transaction():  # and it goes on from there
        audit.record(audit.SYSTEM, "test")


def test_a_backup_after_that_is_not_doubted_for_what_went_with_the_database(alur_data, tmp_path):
    url = make_url(current_app.config["ALUR"].database_url)
    copy, snapshot = tmp_path / "copy", backup_making.newest_path(alur_data)
    db.session.remove()
    db.engine.dispose()
    deploy_databases.make_copy(url, copy)
    factories.visit(factories.patient("Baru Datang"))
    assert back_up(alur_data).problem == ""
    db.session.remove()
    db.engine.dispose()
    deploy_databases.put_back(url, copy)
    assert back_up(alur_data).problem, "what the newest backup knew is gone"
    deploy_databases.set_aside_newer(snapshot, copy)
    assert back_up(alur_data).problem == ""
    deploy_databases.set_aside_newer(snapshot, snapshot)
    assert snapshot.exists(), "one that is no newer stays"


def test_a_migration_is_tried_on_a_database_beside(app, tmp_path, capfd):
    url = make_url(app.config["ALUR"].database_url)
    copy = tmp_path / "copy"
    db.session.remove()
    db.engine.dispose()
    deploy_databases.make_copy(url, copy)
    beside = make_url(deploy_databases.make_beside(url, copy, tmp_path))
    assert beside.database != url.database
    assert deploy_databases.entries(beside) == deploy_databases.entries(url)
    deploy_databases.drop_beside(url)
    assert capfd.readouterr().err == ""


@pytest.mark.engines("postgresql")
def test_where_no_database_may_be_made_beside_it_is_said(app, databases, tmp_path, capfd):
    databases["postgresql"].server.run("CREATE ROLE plain LOGIN")
    url = make_url(app.config["ALUR"].database_url).set(username="plain")
    assert deploy_databases.make_beside(url, tmp_path / "copy", tmp_path) == ""
    assert "permission denied to create database" in capfd.readouterr().err


def test_the_settings_file_is_read_as_the_service_manager_reads_it(tmp_path, monkeypatch):
    url = "postgresql://alur@/alur?host=/var/run/postgresql&port=5433"
    lines = ["# PORT=1", "; PORT=2", f'DATABASE_URL="{url}"', "PORT='8000'", "HOST = ::1", "", "x"]
    file = tmp_path / "alur.env"
    file.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(settings_file, "SETTINGS_FILE", file)
    monkeypatch.setattr(os, "environ", {"PORT": "9"})
    settings_file.read_settings()
    assert os.environ == {"DATABASE_URL": url, "PORT": "9", "HOST": "::1"}
    bare = settings_file.settings_in(f"DATABASE_URL={url}")
    assert bare == {"DATABASE_URL": url}, "no shell cuts it off"


def test_only_that_reader_reads_the_settings_file():
    script = (ROOT / "deploy" / "install.sh").read_text()
    assert '. "$SETTINGS"' not in script
    assert "deploy/settings_file.py setpriv" in script


def told_addresses(nginx: str) -> str:
    script = (ROOT / "deploy" / "install.sh").read_text()
    function = script.split("tell_addresses() {")[1].split("\n}\n")[0]
    lines = ["say() { echo $*; }", "hostname() { echo 10.0.0.7; }", f"WITH_NGINX={nginx}"]
    lines += ["SETTINGS=/etc/alur.env", f"tell() {{{function}\n}}", "tell"]
    return subprocess.run(["sh", "-euc", "\n".join(lines)], capture_output=True, text=True).stdout


def test_an_installation_names_an_address_where_somebody_answers():
    with_nginx, bare = told_addresses("yes"), told_addresses("no")
    assert "http://10.0.0.7/" in with_nginx
    assert "port 80 " in with_nginx
    assert "127.0.0.1:8000" in bare
    assert "HOST=0.0.0.0" in bare
    assert not re.search(r"port 80\b|10\.0\.0\.7", bare)


def test_the_installation_helps_with_each_option_it_takes():
    script = ROOT / "deploy" / "install.sh"
    told = subprocess.run(["sh", script, "--help"], capture_output=True, text=True).stdout
    taken = re.findall(r"^ {8}(--.*)\) ", script.read_text(), re.M)
    options = {word for line in taken for word in re.findall(r"--[a-z-]+", line)}
    assert len(options) >= 8
    assert not [option for option in sorted(options - {"--help"}) if option not in told]
