"""What must be right before the start: settings, port, database. What is wrong gets a sentence."""

import errno
import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from clinic import disk_space  # noqa: E402
from clinic.disk_errors import disk_error_text  # noqa: E402
from config import Config, ConfigError, read_config  # noqa: E402
from deploy.processes import die_with_parent, say  # noqa: E402
from deploy.upgrade import recover  # noqa: E402

SETUP = [sys.executable, "-m", "flask", "--app", "app", "setup"]


def port_problem(config: Config) -> str | None:
    """Why this address can't be listened on, or None."""
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return f"Alamat HOST={config.host} tidak dikenal di komputer ini."
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            return f"Port {config.port} hanya boleh dipakai root. Pilih yang lain, misalnya 8000."
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return (
                    f"Alamat HOST={config.host} bukan alamat komputer ini; pakai 0.0.0.0 atau "
                    "alamatnya sendiri."
                )
            return (
                f"Port {config.port} di {config.host} tidak dapat dipakai, mungkin sudah dipakai "
                f"program lain. Pilih yang lain: PORT={config.port % 65535 + 1} make run"
            )
    return None


def make_ready(config: Config) -> None:
    config.make_folders()
    if disk_space.is_full(config.data):  # it could not even start
        size = disk_space.size_text(disk_space.give_up_half(config.data))
        say(f"Disk penuh. Ruang simpanan dibuka: {size}. Kosongkan disk sekarang.")
    try:
        # For `make upgrade`, which stops what it finds by this; our parent is deploy/start.py.
        (config.data / "state" / "alur.pid").write_text(str(os.getppid()))
    except OSError as problem:
        if problem.errno != errno.EROFS:  # of a disk that only reads a page will tell
            raise


def main(options: list[str]) -> None:
    die_with_parent()
    try:
        config = read_config()
        problem = port_problem(config)
    except ConfigError as error:
        problem = str(error)
    if problem:
        say(problem)
        sys.exit(1)
    try:
        make_ready(config)
        config.audit_key()
    except ConfigError as error:
        say(str(error))
        sys.exit(1)
    except OSError as error:
        say(f"Folder data {config.data} tidak dapat ditulisi: {disk_error_text(error)}.")
        say("Periksa disknya, dan bahwa pemiliknya akun yang menjalankan Alur.")
        sys.exit(1)
    recover(config)
    os.chdir(ROOT)
    os.execv(SETUP[0], [*SETUP, *options])  # noqa: S606  it goes on as the setup command


if __name__ == "__main__":
    main(sys.argv[1:])
