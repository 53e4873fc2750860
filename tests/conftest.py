"""Fixtures of the suite.

    app       the application on a fresh copy of a prepared database (reference data and the
              demo clinic's staff), with its context pushed; runs once per engine
    client    a PageClient: checks each page it opens, see tests/pages.py
    sign_in   sign_in("loket") gives a client of its own, logged in
    browser, live_server, ...   in tests/browser.py; mark such tests `browser`

Every test that asks for `app` runs on SQLite and on PostgreSQL; `@pytest.mark.engines("sqlite")`
chooses, for what no database does otherwise: refused forms, who may open what, bytes of a page and
numbers of queries. ALUR_TEST_ENGINES=sqlite does for a whole run. ALUR_STRICT=1 makes a skip a
failure.
"""

import contextlib
import gc
import os
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from clinic import log_in_tries
from tests import postgres
from tests.databases import ENGINES, Databases
from tests.pages import PageClient, enter
from tests.sharing import ByModule, longest_first

pytest_plugins = ["tests.backing_up", "tests.browser"]

# Examples are the same in each run; how long one takes is the benchmark's business.
hypothesis_settings.register_profile(
    "alur",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("alur")


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--engines",
        default=os.environ.get("ALUR_TEST_ENGINES") or ",".join(ENGINES),
        help="databases to test on, by commas (default: all)",
    )


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "engines(*names): run on these databases only")
    config.addinivalue_line("markers", "browser: needs Chromium; on SQLite only")
    unknown = set(chosen_engines(config)) - set(ENGINES)
    if unknown:
        raise pytest.UsageError(f"unknown engines: {unknown}; known are {list(ENGINES)}")


def chosen_engines(config) -> list[str]:
    return [name for name in config.getoption("--engines").split(",") if name]


def pytest_generate_tests(metafunc) -> None:
    if "engine" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("engines")
    wanted = mark.args if mark else ENGINES
    if metafunc.definition.get_closest_marker("browser"):
        wanted = ["sqlite"]
    chosen = chosen_engines(metafunc.config)
    names = [name for name in wanted if name in chosen]
    metafunc.parametrize("engine", [_parameter(name) for name in names], scope="session")


def _parameter(name: str):
    if name == "postgresql" and not postgres.is_installed():
        skip = pytest.mark.skip(reason="PostgreSQL is not installed")
        return pytest.param(name, marks=skip)
    return name


def pytest_collection(session) -> None:
    """In a fresh clone each process compiles another part of the tests first, not all the same."""
    process = os.environ.get("PYTEST_XDIST_WORKER")
    if not process or [Path(name).name for name in session.config.args] != ["tests"]:
        return
    number = int(process.removeprefix("gw"))
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    start = len(names) * number // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for name in names[start:] + names[:start]:
        with contextlib.suppress(Exception):  # its own collection tells it better
            import_module(f"tests.{name}")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    yield  # pytest itself sorts them by engine
    items.sort(key=longest_first)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByModule(config, log)


def pytest_collection_finish() -> None:
    """What stays to the end need not be looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


def pytest_sessionfinish(session) -> None:
    if _left_out(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"Left out: {reason} (tests: {count}; -rs lists them).")
    if _left_out(config):
        terminalreporter.write_line("ALUR_STRICT=1: a skipped test counts as failed.", red=True)


def _left_out(config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    is_strict = os.environ.get("ALUR_STRICT") == "1"
    return bool(is_strict and reporter and reporter.stats.get("skipped"))


@pytest.fixture(scope="session")
def databases():
    prepared = Databases()
    yield prepared
    prepared.close()


@pytest.fixture
def app(databases, engine, pytestconfig, monkeypatch):
    app = databases[engine].fresh()
    log_in_tries._memory.clear()
    app.test_client_class = PageClient
    # The same page was looked through on SQLite; it is a tenth of what a test costs.
    if engine != "sqlite" and "sqlite" in chosen_engines(pytestconfig):
        monkeypatch.setattr(PageClient, "is_checking", False)
    with app.app_context():
        yield app


@pytest.fixture
def client(app) -> PageClient:
    return app.test_client()


@pytest.fixture
def sign_in(app):
    def sign_in(username: str) -> PageClient:
        return enter(app.test_client(), username)

    return sign_in
