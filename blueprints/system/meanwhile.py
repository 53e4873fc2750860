"""A page that stood open while somebody else changed the same: nothing of theirs is undone unseen.

The page carries a mark of each value that it showed. What was not touched on it follows what is
stored now; what both have changed is told and saved by a second press.
"""

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any, Self

from flask import flash
from wtforms import Field

from page_form import PageForm

MARK = "shown"
OVERTAKEN = "Pengguna lain baru saja mengubahnya menjadi: {}. Pilih yang benar, lalu simpan lagi."
FOLLOWED = "Pengguna lain baru saja mengubah: {}. Perubahannya tetap berlaku."
LONGEST = 100


class SharedForm(PageForm):
    """A form of stored values, which somebody else may change while its page is open."""

    current: Self | None = None  # the same form with what is stored now
    is_new = False
    is_overtaken = False
    followed: tuple[str, ...] = ()  # labels of what was left as somebody else has made it

    def meet(self, stored: Self, mark: str) -> None:
        """What was sent, by a page with this mark, meets what is stored. Before `validate()`.

        A page without a mark (a script's) showed nothing that could have been overtaken.
        """
        self.current, marks = stored, _read(mark)
        followed = []
        for field in self:
            now = stored[field.name]
            if marks.get(field.name, _digest(now)) == _digest(now):
                continue
            if marks[field.name] == _digest(field):
                _follow(field, now)
                followed.append(field.label.text)
            elif _digest(field) != _digest(now):
                self.is_overtaken = True
                field.process_errors = [OVERTAKEN.format(_words(now))]
        self.followed = tuple(followed)

    @property
    def mark(self) -> str:
        """What the page shows, or knows by now, in a few letters for each field."""
        return " ".join(f"{field.name}:{_digest(field)}" for field in self.current or self)

    def tell_followed(self) -> None:
        """After saving: what is not as this page had shown it."""
        if self.followed:
            flash(FOLLOWED.format(", ".join(self.followed)), "info")


def _read(mark: str) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in mark.split())
    return {name: digest for name, _, digest in pairs}


def _digest(field: Field) -> str:
    return blake2s("\n".join(_values(field)).encode(), digest_size=4).hexdigest()


def _values(field: Field) -> list[str]:
    """As a browser sends them, whatever it makes of blanks and line ends."""
    data = field.data
    several = data if isinstance(data, (list, tuple)) else [data]
    texts = ("" if one is None else str(one) for one in several)
    return sorted(" ".join(text.split()) for text in texts)


def _follow(field: Field, now: Field) -> None:
    """As if the page had shown and sent what is stored now; some validators read `raw_data`."""
    if isinstance(now.data, (bool, list, tuple)):
        field.data = now.data
        field.raw_data = _values(now) if now.data else []
    else:
        field.data = "" if now.data is None else str(now.data)
        field.raw_data = [field.data]


def _words(field: Field) -> str:
    labels = dict(_labels(getattr(field, "choices", None) or ()))
    words = ", ".join(labels.get(text, text) for text in _values(field)) or "kosong"
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def _labels(choices: Iterable[Any]) -> Iterable[tuple[str, str]]:
    return ((str(choice.value), choice.label) for choice in choices)
