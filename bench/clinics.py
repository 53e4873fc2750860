"""A running clinic with its clients logged in."""

from bench import database, pages
from bench.load import Client, Run, drive
from bench.scenarios import Ground
from bench.servers import Server


def opened(server: Server, clients: int) -> tuple[Ground, Run]:
    """What its database holds, and a session of its own for each clerk and each of the staff."""
    ground, run = Ground(server), Run()
    database.learn(ground)
    ground.clerks = [Client(number=number) for number in range(clients)]
    ground.staff = [Client(number=number) for number in range(clients)]
    scripts = [(one, pages.log_in(run, one, "loket", "/pendaftaran/baru")) for one in ground.clerks]
    scripts += [(one, pages.log_in(run, one, "umum", "/poli/UMUM")) for one in ground.staff]
    # One after the other: each hashes a passphrase, and only one may at a time.
    for script in scripts:
        drive(server.address, [script], run)
    return ground, run
