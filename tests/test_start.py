"""`make run` as a process: it starts, heals, stops, and says in a sentence what is wrong."""

import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from clinic import backup_keys
from tests import clients, install_tools
from tests.browser import PATIENCE, LiveServer, children_of, set_up, until
from tests.postgres import free_port

ROOT = Path(__file__).parent.parent
SECRET = "kuda berlari di pantai"
HEAD = ["--clinic", "Puskesmas Melati", "--time-zone", "WIB", "--internet", ""]
HEAD += ["--head-name", "dr. Ratna", "--head-username", "ratna"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def options(folder: Path) -> list[str]:
    """Answers for the set-up of a clinic without demo data."""
    passphrase = folder / "passphrase"
    passphrase.write_text(SECRET)
    return [*HEAD, "--head-password-file", str(passphrase)]


class Clinic(LiveServer):
    """A clinic without demo data, so that it starts at once."""

    def __init__(self, *options: str, like: Path | None = None):
        super().__init__(*options, like=like, ALUR_DEMO="0")

    def child(self, name: str) -> int:
        """The eldest process of this name, 0 when there is none."""
        return next((pid for pid, its_name in self.names() if its_name == name), 0)

    def names(self) -> list[tuple[int, str]]:
        """All that it has started, parents before their children."""
        found = list(children_of(self.process.pid).items())
        for pid, _ in found:  # grows meanwhile
            found += children_of(pid).items()
        return found

    def family(self) -> list[int]:
        return [pid for pid, _ in self.names()]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=2) as answer:  # noqa: S310
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    """The folder of a clinic that was set up and never started, to copy."""
    folder = tmp_path_factory.mktemp("clinic")
    set_up(folder / "data", *options(folder), ALUR_DEMO="0")
    return folder / "data"


@pytest.fixture
def clinic(empty):
    """A clinic that the test will stop."""
    server = Clinic(like=empty)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def running(empty):
    """A clinic that goes on running, whatever the test does to it."""
    server = Clinic(like=empty)
    yield server
    server.remove()


def run(*options: str, data: Path, **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "deploy/start.py", *options],
        cwd=ROOT,
        env={**os.environ, "ALUR_DATA": str(data), "HOST": "127.0.0.1", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )


@pytest.fixture
def first_start(tmp_path):
    server = Clinic(*options(tmp_path))
    yield server
    server.remove()


def test_an_empty_clinic_starts_stops_and_starts_again(first_start):
    clinic = first_start
    assert clinic.lines[0] == "Menyiapkan basis data ..."
    assert f"Alur siap: {clinic.address}" in clinic.lines[-2:]  # where to begin comes after it
    assert clinic.answers()
    until(lambda: len(clinic.family()) >= 3, "web server, its own worker, the background worker")
    family = clinic.family()
    assert clinic.stop() == 0
    assert not [pid for pid in family if is_running(pid)]
    assert not clinic.answers()
    # Again, without options: the data are there, nothing is asked.
    clinic.start()
    assert clinic.answers()
    take_the_first_patient(clinic.address)
    assert clinic.stop(signal.SIGINT) == 0


def take_the_first_patient(address: str) -> None:
    """Without a command line: the head's pages give accounts, these register and call."""
    head = clients.Browser(address).log_in("ratna", SECRET)
    system = head.get("/sistem").expect(200).text
    for page in ("pengguna", "ruang", "aturan", "kamus", "pengaturan"):
        assert f'href="/sistem/{page}"' in system
        head.get(f"/sistem/{page}").expect(200)
    head.get("/sistem/pengguna/baru").expect(200)
    for username, role, rooms in (
        ("siti", "registration", {}),
        ("budi", "poli", {"rooms": "UMUM"}),
    ):
        account = {"username": username, "display_name": username.title(), "role": role}
        account |= {"password": SECRET, "password_again": SECRET}
        head.post("/sistem/pengguna/baru", {**account, **rooms}).expect(303)
    counter, room = (clients.Browser(address).log_in(name, SECRET) for name in ("siti", "budi"))
    ticket = clients.register(counter, clients.person(1))
    assert (ticket.label, ticket.poli) == ("U001", "UMUM")
    assert clients.call(room, "UMUM").entry == ticket.entry


@pytest.mark.parametrize("name", ["alur-web", "alur-worker"])
def test_a_killed_process_is_started_again(running, name):
    def kill() -> int:
        """Whom; 0 when it was just ending by itself, as others of its family are replaced."""
        pid = running.child(name)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return pid
        return 0

    first = until(kill, f"{name} runs")
    until(lambda: running.child(name) not in {0, first}, f"another {name}")
    until(running.answers, "the clinic answers")
    assert running.process.poll() is None


def test_a_crash_in_c_code_stands_in_the_logs_that_can_be_sent_along(running):
    def serving() -> int:  # the child of the one that looks after it
        return next((pid for pid, name in reversed(running.names()) if name == "alur-web"), 0)

    pid, logs = until(serving, "the web process"), running.data / "logs"
    os.kill(pid, signal.SIGSEGV)
    for name, words in (
        ("alur.log", f"(pid:{pid}) was sent SIGSEGV"),
        ("crash.log", "Fatal Python error: Segmentation fault"),
    ):
        path = logs / name
        until(lambda p=path, w=words: p.exists() and w in p.read_text(), f"{words} in {name}")
    until(running.answers, "the clinic answers")


def test_ps_tells_the_processes_apart(running):
    expected = {b"gunicorn (Alur)", b"worker (Alur)"}

    def shown() -> set[bytes]:
        # One that said its message and is just ending has no command line any more.
        commands = (Path("/proc") / str(pid) / "cmdline" for pid in running.family())
        return {path.read_bytes().rstrip(b"\0") for path in commands if path.exists()}

    until(lambda: shown() == expected, f"{expected}, not {shown()}")


def test_the_worker_gives_way_to_the_web(running):
    def niceness(pid: int) -> int:
        return os.getpriority(os.PRIO_PROCESS, pid)

    ours = niceness(0)  # not 0 where the whole run is niced
    worker = until(lambda: running.child("alur-worker"), "worker")
    until(lambda: niceness(worker) == min(ours + 10, 19), "the worker has stepped back")
    assert niceness(running.child("alur-web")) == ours


def test_a_killed_supervisor_leaves_nothing_behind(clinic):
    family = until(lambda: clinic.child("alur-worker") and clinic.family(), "all run")
    clinic.process.kill()
    clinic.process.wait()
    until(lambda: not [pid for pid in family if is_running(pid)], "all ended")


def test_a_second_ctrl_c_ends_what_hangs(clinic):
    web = clinic.child("alur-web")
    os.kill(web, signal.SIGSTOP)
    clinic.process.send_signal(signal.SIGINT)
    until(lambda: "Alur berhenti ..." in clinic.lines, "it has heard the first one")
    assert clinic.stop(signal.SIGINT) == 0
    assert not is_running(web)


def test_a_taken_port_is_said_in_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = run(data=tmp_path, PORT=port)
    assert done.returncode == 1
    assert f"Port {port}" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not (tmp_path / "db").exists(), "it looks before it writes"


def test_a_second_alur_does_not_touch_the_data_of_the_first(running):
    done = run(data=running.data, PORT=str(free_port()))
    assert done.returncode == 1
    assert "sudah dipakai Alur lain" in done.stdout
    assert running.answers()


@pytest.mark.parametrize(
    "environ",
    [{"PORT": "http"}, {"ALUR_DEMO": "maybe"}, {"HOST": "no such host"}, {"DATABASE_URL": "x"}]
    + [{"HOST": "192.0.2.1"}],
)
def test_a_wrong_setting_is_said_in_a_sentence(tmp_path, environ):
    done = run(data=tmp_path, **environ)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert next(iter(environ)) in done.stdout


def test_help_is_all_that_is_done_when_it_is_asked_for(tmp_path):
    done = run("--help", data=tmp_path, PORT=str(free_port()))
    assert done.returncode == 0
    assert "--head-username" in done.stdout
    assert not (tmp_path / "db" / "alur.db").exists()


def test_an_empty_clinic_without_a_terminal_needs_options(tmp_path):
    done = run(data=tmp_path, ALUR_DEMO="0", PORT=str(free_port()))
    assert done.returncode == 1
    assert "--clinic" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout


def test_a_terminal_is_asked_for_the_clinic(tmp_path):
    """Name, zone, head, passphrase twice; a wrong answer is told at once and asked for again."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "deploy/start.py", "--internet", ""],
        cwd=ROOT,
        env={**os.environ, "ALUR_DATA": str(tmp_path), "ALUR_DEMO": "0", "PORT": str(free_port())},
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    try:
        talk = [
            ("Nama puskesmas", "   "),
            ("tidak boleh kosong", "Puskesmas Melati"),
            ("Zona waktu", "WITTA"),
            ("Pilih WIB, WITA, atau WIT", "wit"),
            ("Nama kepala", "dr. Ratna"),
            ("Nama pengguna", "Ani Head"),
            ("huruf kecil", "ratna"),
            ("Kata sandi", "pendek"),
            ("\r\nKata sandi kepala", SECRET),
            ("Ulangi", "kuda lain lagi"),
            ("tidak sama. Ketik lagi.\r\nKata sandi kepala", SECRET),
            ("Ulangi", SECRET),
            ("Alur siap", None),
        ]
        heard = ""
        for question, answer in talk:
            while question not in heard:
                heard += os.read(terminal, 4096).decode(errors="replace")
            if answer:
                heard = ""
                os.write(terminal, f"{answer}\n".encode())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        os.close(terminal)
    assert setting(tmp_path, "time_zone") == '"Asia/Jayapura"'


WRONG_OPTIONS = [
    (["--internet", "bogus"], "--internet: Isi nama server dan porta"),
    (["--time-zone", "WIX"], "Pilih WIB, WITA, atau WIT."),
    (["--clinic", "  "], "Isian ini tidak boleh kosong."),
    (["--head-username", "Ani Head"], "Pakai 2-40 huruf kecil"),
]


def test_a_wrong_option_of_the_set_up_ends_the_start(tmp_path):
    option, sentence = WRONG_OPTIONS[0]
    done = run(*options(tmp_path), *option, data=tmp_path / "data", ALUR_DEMO="0")
    assert done.returncode == 1
    assert sentence in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout


ONE_AFTER_ANOTHER = """
import json, sys
from app import create_app
app, told = create_app(), []
for options in json.loads(sys.argv[1]):
    with app.app_context():
        told.append(app.test_cli_runner().invoke(args=["setup", *options]))
print(json.dumps([[each.exit_code, each.output] for each in told]))
"""


def test_each_wrong_option_is_said_in_a_sentence(tmp_path):
    """Of the command that the start calls, in one process: a start loads the application anew."""
    asked = [[*options(tmp_path), *wrong] for wrong, _ in WRONG_OPTIONS]
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(asked)],
        cwd=ROOT,
        env={**os.environ, "ALUR_DATA": str(tmp_path / "data"), "ALUR_DEMO": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    for (code, output), (_, sentence) in zip(told, WRONG_OPTIONS, strict=True):
        assert code == 1
        assert sentence in output.splitlines()[-1]


def test_the_environment_is_made_once(tmp_path):
    """A copy with requirements that need no download: made, left alone, brought up to date."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "environment.py", tmp_path / "deploy")
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("# nothing\n")

    def make() -> str:
        command = [sys.executable, "deploy/environment.py", "requirements.txt"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert ".venv" in make()
    python = tmp_path / ".venv" / "bin" / "python"
    made = python.lstat().st_mtime_ns
    assert make() == ""
    wanted.write_text("# nothing else\n")
    assert "requirements.txt" in make()
    assert python.lstat().st_mtime_ns == made
    python.unlink()  # an upgraded system took its Python away
    assert ".venv" in make()
    assert python.exists()


def test_an_old_python_is_told_so():
    """The bootstrap must be readable for the Pythons that it refuses."""
    code = (
        "import sys; sys.version_info = (3, 9, 2); sys.path.insert(0, 'deploy')\n"
        "import environment; sys.exit(environment.main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Python 3.11" in done.stderr
    assert len(done.stderr.splitlines()) == 1


WITHOUT_VENV = """
import importlib.util, sys
sys.path.insert(0, 'deploy')
import environment
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == sys.argv[1] else found(name, *more)
sys.exit(environment.main([]))
"""


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_named_in_one_sentence(module):
    """Debian's python3 has venv, but not what fills it, until python3-venv is installed."""
    command = [sys.executable, "-c", WITHOUT_VENV, module]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Modul venv Python belum ada.")
    assert done.stderr.rstrip().endswith("apt install python3-venv")
    assert len(done.stderr.splitlines()) == 1


FALSE_APT_GET = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> "$NOTES"
[ "$2" != "$FAILS_AT" ]
"""


@pytest.mark.parametrize("fails_at", ["", "update", "install"])
def test_as_root_on_debian_exactly_what_is_missing_is_installed(
    tmp_path, monkeypatch, capsys, fails_at
):
    notes = tmp_path / "notes"
    (tmp_path / "apt-get").write_text(FALSE_APT_GET)
    (tmp_path / "apt-get").chmod(0o755)
    for name, value in {"PATH": tmp_path, "NOTES": notes, "FAILS_AT": fails_at}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for package in install_tools.TOOLS:
        is_there = package not in {"postgresql", "strace"}
        monkeypatch.setitem(install_tools.TOOLS, package, lambda is_there=is_there: is_there)
    assert install_tools.main() == 0, "the tests that can run are run"
    steps = [
        "noninteractive -qq update",
        "noninteractive -qq install -y --no-install-recommends postgresql strace",
    ]
    assert notes.read_text().splitlines() == steps[: 1 if fails_at == "update" else 2]
    told = ["Installing postgresql, strace ..."]
    if fails_at:
        told.append(f"apt-get {fails_at} failed; tests that need postgresql, strace are left out.")
    assert capsys.readouterr().err.splitlines() == told


def test_missing_tools_are_said_in_a_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "tests/install_tools.py"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},  # neither Chromium nor apt-get
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr.startswith("Not installed here: chromium")
    assert len(done.stderr.splitlines()) == 1


# --- A restore ----------------------------------------------------------------------------------


def flask(environ: dict[str, str], *command: str, typed: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *command],
        cwd=ROOT,
        env=environ,
        start_new_session=True,  # no terminal: keys are read from what is typed too
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=4 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def setting(data: Path, key: str) -> str:
    with contextlib.closing(sqlite3.connect(data / "db" / "alur.db")) as connection:
        found = connection.execute("SELECT value FROM setting WHERE key = ?", (key,))
        return found.fetchone()[0]


def test_a_running_clinic_goes_back_to_a_backup(clinic):
    """By the guided command; the server sees the request and starts again by itself."""
    assert "sudah diperiksa" in flask(clinic.environ, "backup")
    server, before = clinic.child("alur-web"), setting(clinic.data, "epoch")
    printed = flask(clinic.environ, "restore", typed="1\nGANTI\n")
    assert "siap dipakai" in printed
    until(lambda: clinic.child("alur-web") not in {0, server}, "the server is another one")
    until(clinic.answers, "the clinic answers")
    assert setting(clinic.data, "epoch") != before
    assert list((clinic.data / "restore").glob("*/db/alur.db")), "the old set is aside"
    server, restored = clinic.child("alur-web"), setting(clinic.data, "epoch")
    flask(clinic.environ, "restore", "--undo", typed="GANTI\n")
    until(lambda: clinic.child("alur-web") not in {0, server}, "the server is another one again")
    until(clinic.answers, "the clinic answers")
    assert setting(clinic.data, "epoch") not in {before, restored}
    assert clinic.process.poll() is None


def test_while_the_database_is_damaged_a_page_says_how_to_go_on(clinic):
    clinic.stop()
    database, aside = clinic.data / "db" / "alur.db", clinic.data / "aside.db"
    shutil.copyfile(database, aside)
    database.write_bytes(b"damaged " * 1024)
    with (clinic.data / "printed").open("w") as printed:
        clinic.process = subprocess.Popen(
            [sys.executable, "deploy/start.py"],
            cwd=ROOT,
            env=clinic.environ,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    page = until(lambda: answer_of(f"{clinic.address}/masuk"), "a page")
    assert page[0] == 503
    assert "make restore" in page[1]
    assert "make restore" in "\n".join(clinic.lines)
    shutil.copyfile(aside, database)
    until(clinic.answers, "it answers without a restart")


def answer_of(address: str) -> tuple[int, str] | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError:
        return None


def test_another_computer_starts_from_a_copy_and_the_card(empty, tmp_path):
    """The disk is gone: what is left is a stick and a sheet of paper."""
    lost, new, stick = tmp_path / "lost", tmp_path / "new", tmp_path / "stick"
    environ = {**os.environ, "ALUR_DATA": str(lost), "ALUR_DEMO": "0"}
    environ.pop("DATABASE_URL", None)
    shutil.copytree(empty, lost)
    flask(environ, "backup")
    card = backup_keys.pending(lost / "keys")
    clinic, audit_key = setting(lost, "clinic_ref"), (lost / "keys" / "audit.key").read_bytes()
    shutil.copytree(lost / "backups", stick / "alur-1234")
    shutil.rmtree(lost)

    environ["ALUR_DATA"] = str(new)
    lines = [" ".join(card.words[at : at + 7]) for at in range(0, len(card.words), 7)]
    wrong = lines[0].replace(card.words[0], "kertass", 1)
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    (whole,) = stick.glob("alur-*/*.alur")
    (spoilt / whole.name).write_bytes(whole.read_bytes()[:-1000])
    typed = [str(spoilt), "1", wrong, *lines, str(stick), "1", "y", "GANTI"]
    printed = flask(environ, "restore", typed="\n".join([*typed, ""]))
    assert "Kata ke-1 'kertass'" in printed and "Ketik baris itu lagi." in printed
    assert "Tidak dipakai:" in printed, "and another copy is chosen with the same key"
    flask(environ, "setup")
    assert setting(new, "clinic_ref") == clinic
    assert (new / "keys" / "audit.key").read_bytes() == audit_key
    assert backup_keys.public_key(new / "keys") == card.public, "its card goes on being valid"
