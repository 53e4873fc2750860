"""What can't be had here is left out by a printed line: in CI a skipped test counts as failed."""

from collections import defaultdict

from tests.torture.clinic import IS_BRIEF
from tests.torture.places import why_not

left_out: dict[str, list[str]] = defaultdict(list)


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "needs(*what): see tests/torture/places.py")
    config.addinivalue_line("markers", "long: not in CI's short run")


def pytest_collection_modifyitems(config, items) -> None:
    reasons = {item: _reason(item) for item in items}
    for item in filter(reasons.get, items):
        left_out[reasons[item]].append(item.name.removeprefix("test_it_is_told_and_survived"))
    config.hook.pytest_deselected(items=list(filter(reasons.get, items)))
    items[:] = [item for item in items if not reasons[item]]


def _reason(item) -> str:
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            if problem := why_not(need):
                return problem
    is_left_out = IS_BRIEF and item.get_closest_marker("long")
    return "takes too long for CI; `make torture` has it" if is_left_out else ""


def pytest_terminal_summary(terminalreporter) -> None:
    for reason, names in left_out.items():
        terminalreporter.write_line(f"Left out, {reason}: {', '.join(names)}")
