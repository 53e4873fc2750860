"""Holds the house's rules: who imports whom, one commit, closed templates, small static files."""

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from jinja2 import Environment

import responses
from formatting import FILTERS

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SKIPPED = {".venv", ".tools", "data", "node_modules", "migrations"}
SOURCES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not SKIPPED & set(path.relative_to(ROOT).parts) and path.parts[-2] != "versions"
)
# What `make run` and the clinic's server run; tests and bench are bound by less.
PRODUCT = [
    path
    for path in SOURCES
    if path.relative_to(ROOT).parts[0] not in {"tests", "bench", "deploy", "docs"}
]
MAX_LINES = {"app.py": 150}
USUAL_MAX_LINES = 300
STYLE_BUDGETS = {"app.css": 5 * 1024, "paper.css": 1400, "report.css": 800}
# Of our own script, all that one page loads together; htmx is vendored.
SCRIPT_BUDGET = 4 * 1024

# Each layer may import the ones that stand here beside it, and nothing else of ours.
GROUND = {"db", "validators", "typed_text", "formatting", "config", "timekeeping"}
EDGE = {"access", "patient_forms", "sessions", "responses", "navigation", "polling", "logs"}
EDGE |= {"kept_forms", "kept_answers", "wrong_clock", "faults", "timing", "viewing"}
ALLOWED = {
    "timekeeping": set(),
    "new_rows": set(),
    "db": {"timekeeping", "new_rows"},
    "config": set(),
    "formatting": set(),
    "logs": {"timekeeping"},
    "typed_text": set(),
    "validators": {"typed_text"},
    "tables": {"tables", "db"},
    "models": {"tables"},
    "clinic": {"clinic", "models", "db", "validators", "formatting", "timekeeping", "logs"},
    "navigation": {"models"},
    "access": {"clinic", "models", "db", "sessions", "formatting", "kept_forms", "wrong_clock"}
    | {"viewing"},
    "kept_forms": set(),
    "page_form": {"typed_text"},
    "kept_answers": {"access", "clinic", "db", "kept_forms", "sessions", "viewing"},
    "wrong_clock": {"clinic", "validators", "timekeeping", "kept_forms", "page_form"},
    "viewing": {"clinic", "db"},
    "faults": {"access", "clinic", "db", "kept_forms", "logs"},
    "timing": {"clinic"},
    "sessions": {"clinic", "models", "db"},
    "patient_forms": {"models", "db"},
    "responses": set(),
    "polling": {"clinic", "db", "sessions", "timekeeping"},
    "blueprints": {"blueprints", "clinic", "models", "db", "validators", "formatting"}
    | {"timekeeping", "kept_forms", "page_form", "wrong_clock", "typed_text"}
    | {"access", "patient_forms", "sessions", "responses", "navigation"},
    "trail_commands": {"terminal", "clinic", "db"},
    "account_commands": {"terminal", "trail_commands", "clinic", "models", "db"},
    "terminal": {"clinic", "validators"},
    "demo_commands": {"terminal", "clinic", "db"},
    "report_commands": {"terminal", "clinic"},
    "backup_commands": {"terminal", "trail_commands", "clinic", "models", "db"},
    "restore_commands": {"backup_commands", "clinic", "db", "formatting"},
    "background": {"clinic", "db"},
    "cli": {"background", "backup_commands", "clinic", "models", "db", "validators", "formatting"}
    | {
        "account_commands",
        "demo_commands",
        "report_commands",
        "restore_commands",
        "terminal",
        "trail_commands",
        "config",
        "logs",
    }
    | {"timekeeping"},
    "app": GROUND | EDGE | {"models", "clinic", "cli", "blueprints"},
}
FLASK = {"flask", "flask_login", "flask_wtf", "flask_migrate", "werkzeug", "wtforms"}
SOCKETS = {"socket", "ssl", "http", "urllib.request", "smtplib", "ftplib", "requests", "httpx"}
# Called by the worker only: no web request ever waits for the internet.
WORKERS = {"worker", "backup_worker", "closing_work"}
MAY_CONNECT = {"clinic/satusehat.py", "clinic/dinkes.py", "clinic/reachability.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree_of(path)))


@pytest.fixture(scope="module", autouse=True)
def forget_the_trees():
    yield
    tree_of.cache_clear()
    nodes_of.cache_clear()


@cache
def imports_of(path: Path) -> set[str]:
    """Dotted names of everything the module imports; `from a import b` gives a and a.b."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where a thing comes from"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def siblings(path: Path, package: str) -> set[str]:
    known = {other.stem for other in (ROOT / package).glob("*.py")} | {
        other.name for other in (ROOT / package).iterdir() if (other / "__init__.py").exists()
    }
    parts = [name.split(".") for name in imports_of(path)]
    return {part[1] for part in parts if part[0] == package and len(part) > 1 and part[1] in known}


def each(paths: Iterable[Path]) -> Callable:
    """One test over all of them, which tells of each that fails: thousands of tests took longer."""
    paths = list(paths)

    def over_all(test: Callable[[Path], None]) -> Callable[[], None]:
        def run() -> None:
            assert paths, "nothing to look at"
            assert [*filter(None, (problem_of(test, path) for path in paths))] == []

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return over_all


def problem_of(test: Callable[[Path], None], path: Path) -> str:
    try:
        test(path)
    except Exception as problem:
        return f"{name_of(path)}: {problem!r}"
    return ""


# --- Modules ----------------------------------------------------------------------------------


@each(PRODUCT)
def test_a_module_imports_only_the_layers_below(path):
    layer = layer_of(path)
    assert layer in ALLOWED, f"{name_of(path)} has no place in the house"
    ours = {name.split(".")[0] for name in imports_of(path)} & ALLOWED.keys()
    assert ours <= ALLOWED[layer], f"{name_of(path)} must not import {ours - ALLOWED[layer]}"


@each([path for path in PRODUCT if layer_of(path) in {"clinic", "models", "tables", "db"}])
def test_below_the_edge_nobody_knows_flask(path):
    outside = {name.split(".")[0] for name in imports_of(path)}
    assert not outside & FLASK


@each([path for path in PRODUCT if name_of(path) not in MAY_CONNECT])
def test_only_exchange_modules_open_sockets(path):
    assert not imports_of(path) & SOCKETS


@each([path for path in PRODUCT if layer_of(path) == "blueprints"])
def test_blueprints_never_import_each_other(path):
    own = path.relative_to(ROOT / "blueprints").parts[0].removesuffix(".py")
    assert siblings(path, "blueprints") <= {own}
    assert "app" not in imports_of(path)


def test_exchange_is_called_by_the_worker_only():
    exchange = {"clinic.satusehat", "clinic.dinkes", "clinic.reachability"}
    callers = {name_of(path) for path in PRODUCT if imports_of(path) & exchange}
    assert callers <= {"clinic/outbox.py", "clinic/worker.py", "cli.py"} | MAY_CONNECT


def test_clinic_has_no_circle():
    graph = {path.stem: siblings(path, "clinic") for path in (ROOT / "clinic").glob("*.py")}
    TopologicalSorter(graph).prepare()  # raises CycleError and names the circle


@each(PRODUCT)
def test_no_import_inside_a_function(path):
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{name_of(path)}:{inner[0].lineno} in {node.name}"


def test_one_source_of_time():
    """Only timekeeping.py asks the computer's clock; seconds that pass are `monotonic`."""
    clocks = {"now", "utcnow", "today", "time", "time_ns"}
    asked = re.compile(r"\b(CURRENT_(TIMESTAMP|DATE|TIME)|now\(\)|datetime\('now)", re.IGNORECASE)
    found = []
    for path in PRODUCT + sorted((ROOT / "deploy").glob("*.py")):
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value).rpartition(".")[2]
                if node.func.attr in clocks and owner in {"datetime", "date", "time", "func"}:
                    found.append(f"{name_of(path)}:{node.lineno}")
            if isinstance(node, ast.Constant) and asked.search(str(node.value)):
                found.append(f"{name_of(path)}:{node.lineno}")
    assert {place.partition(":")[0] for place in found} == {"timekeeping.py"}, found


def test_exactly_one_commit():
    places = [
        f"{name_of(path)}:{node.lineno}"
        for path in PRODUCT
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]
    assert len(places) == 1, places
    assert places[0].startswith("db.py:")


@each([path for path in PRODUCT if layer_of(path) == "clinic" and path.stem not in WORKERS])
def test_the_edge_owns_the_transaction(path):
    """The worker's steps are an edge of their own; bulk demo data is written in parts."""
    if path.stem.startswith("demo"):
        return
    calls = {
        node.func.id
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "transaction" not in calls


def test_nothing_is_deleted():
    """Rows end, are cancelled or amended.

    PatientToken is an index, rewritten with the name; what was typed and not saved is no record,
    nor are the pages that said so.
    """
    allowed = {"clinic/name_index.py", "clinic/unsaved.py", "clinic/answers.py"}
    found = {
        name_of(path)
        for path in PRODUCT
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "delete")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "delete")
        )
    }
    assert found <= allowed


@each(SOURCES)
def test_names_say_what_a_module_is(path):
    parts = set(path.relative_to(ROOT).with_suffix("").parts)
    assert not parts & {"utils", "util", "helpers", "helper", "common", "misc", "services"}


@each([*PRODUCT, *sorted((ROOT / "deploy").glob("*.py"))])
def test_modules_stay_readable(path):
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= MAX_LINES.get(name_of(path), USUAL_MAX_LINES)


@each([path for path in PRODUCT if layer_of(path) == "blueprints"])
def test_a_view_is_at_most_forty_lines(path):
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            assert node.end_lineno - node.lineno < 40, f"{node.name} is too long"


@each([path for path in PRODUCT if layer_of(path) == "clinic"])
def test_public_clinic_functions_say_what_they_do(path):
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node) or len(node.body) == 1, f"{node.name} has no docstring"


def test_there_is_no_models_package():
    assert not (ROOT / "models").exists(), "it would silently win the import"


# --- Templates and static files ---------------------------------------------------------------


@each(TEMPLATES)
def test_templates_compile_with_the_filters_we_have(path):
    environment = Environment(autoescape=True)
    environment.filters.update(FILTERS, called=str, typed_rows=list)
    environment.compile(path.read_text(encoding="utf-8"))


@each(TEMPLATES)
def test_templates_are_closed(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b", text), "autoescape stays on"
    assert "hx-boost" not in text
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)", text), "the CSP refuses inline code"
    assert not re.search(r"\s(style|on[a-z]+|hx-on[:a-z-]*)=", text), "the CSP refuses inline code"
    outside = re.findall(r"https?://[^\s\"'<>{}]+", text)
    assert not [url for url in outside if not url.startswith("http://www.w3.org/")], outside


@each(TEMPLATES)
def test_every_form_works_without_script(path):
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
        head = re.match(r"<form\b(?:{{.*?}}|{%.*?%}|[^>])*>", form, flags=re.DOTALL).group()
        assert re.search(r'\smethod="(post|get)"', head), head
        assert re.search(r"\saction=", head), head
        if 'method="post"' in head:
            assert re.search(r"csrf", form.removeprefix(head)), f"no csrf_token: {head}"


# There the browser's own words, in its language, are no loss: beside other fields that are being
# typed (a page that comes back would lose those), and where one is to be chosen.
SAID_BY_THE_BROWSER = {"registration/correct.html", "pharmacy/worklist.html"}
SAID_BY_THE_BROWSER |= {
    f"examination/{name}.html" for name in ("_lab_reports", "_prescription_reports", "immunization")
}


def test_what_is_missing_is_said_in_indonesian():
    found = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in TEMPLATES
        if re.search(r"\srequired\b", path.read_text(encoding="utf-8"))
    }
    assert found == SAID_BY_THE_BROWSER


def test_every_form_speaks_indonesian():
    """WTForms' own messages are English; PageForm has them in Indonesian."""
    bare = re.compile(r"^from wtforms import .*\bForm\b", re.MULTILINE)
    found = {name_of(path) for path in PRODUCT if bare.search(path.read_text(encoding="utf-8"))}
    assert found == {"page_form.py", "validators.py"}, "the latter only names the type"


def packed_size(name: str) -> int:
    """As it is sent: packed in pieces, or plain where that is less."""
    content = responses.Content(responses.sent(ROOT / "static" / name), "")
    return min(len(content.packed), len(content.plain))


def scripts_of(path: Path) -> set[str]:
    found = re.findall(r"asset\('(\w[\w.]*\.js)'\)", path.read_text(encoding="utf-8"))
    return set(found) - {"htmx.min.js"}


@pytest.mark.parametrize("name", STYLE_BUDGETS)
def test_style_sheets_stay_small(name):
    assert packed_size(name) <= STYLE_BUDGETS[name]


def test_any_page_loads_at_most_four_kb_of_our_own_script():
    everywhere = scripts_of(ROOT / "templates" / "base.html")
    loaded = {name_of(path): everywhere | scripts_of(path) for path in TEMPLATES}
    for page, names in loaded.items():
        # A page loads the one or the other, by whether its form is kept while it is typed.
        either = {"typing.js", "held.js"}
        for other in either & names if either <= names else {""}:
            assert sum(map(packed_size, names - {other})) <= SCRIPT_BUDGET, page
    ours = {path.name for path in (ROOT / "static").glob("*.js")} - {"htmx.min.js"}
    assert set.union(*loaded.values()) == ours, "a script that no page loads"


@each([path for path in (ROOT / "static").iterdir() if path.suffix in {".css", ".js"}])
def test_static_files_load_nothing_from_outside(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text)
    if not path.name.startswith("htmx"):
        assert not re.findall(r"https?://(?!www\.w3\.org/)", text)


# --- Texts ------------------------------------------------------------------------------------

ENVIRONMENT = re.compile(r"\b(ALUR_[A-Z_]+|DATABASE_URL|HOST|PORT)\b")


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README yet")
def test_readme_names_every_environment_variable():
    places = [ROOT / "config.py", ROOT / "Makefile", ROOT / ".ci" / "run"]
    places += [path for path in SOURCES if layer_of(path) in {"tests", "bench", "deploy"}]
    named = {name for path in places for name in ENVIRONMENT.findall(path.read_text("utf-8"))}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert sorted(name for name in named if name not in readme) == []


def test_requirements_are_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            wanted = line.split("#")[0].strip()
            if wanted and not wanted.startswith("-r "):
                assert re.match(r"[\w.-]+==[\w.]+( ;|$)", wanted), wanted
