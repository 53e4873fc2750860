"""How the tests are shared out to processes: by module and engine, what takes longest first."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# Browser tests are in two processes only: each has a browser and a filled clinic.
TOGETHER = {
    "browser pages": ("browser_pages", "walk", "browser_day"),
    "browser desks": (
        *("browser_amendments", "browser_autosave", "browser_desks", "browser_import"),
        *("browser_keys", "browser_laboratory", "browser_safety", "browser_same_person"),
    ),
}
GROUPS = {f"tests/test_{name}.py": group for group, names in TOGETHER.items() for name in names}
# Half a minute and more; the rest fills up what is left at the end.
LONGEST = [
    *("browser pages", "browser desks", "start", "concurrency", "demo", "clock_jumps"),
    *("hostile_text", "restoring", "links", "merging_property", "backup_pages", "upgrade"),
    *("closing", "queues"),
]
PLACES = {
    name if name in TOGETHER else f"tests/test_{name}.py": place
    for place, name in enumerate(LONGEST)
}


def module_of(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return GROUPS.get(path, path)


def longest_first(item: pytest.Item) -> int:
    """Sorts by it."""
    return PLACES.get(module_of(item.nodeid), len(PLACES))


class ByModule(LoadScopeScheduling):
    """A module's tests share what they prepare; singly, dealing them out took longer than many."""

    def _split_scope(self, nodeid: str) -> str:
        on_postgresql = "postgresql" in nodeid.rpartition("[")[2]
        return module_of(nodeid) + " on PostgreSQL" * on_postgresql
