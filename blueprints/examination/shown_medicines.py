"""The lines of a prescription that a page sent, on those that stand stored meanwhile.

A line needs no digest: ended rows still say what they were. What was new on two pages has no key
in common, so it is known by what it says: the same medicine never stands there twice by itself.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from blueprints.examination import prescription_typed as rx
from clinic import prescriptions
from clinic.prescription_lines import COMPOUND, OUTSIDE, LineInput, line_input, usable
from models import Examination, PrescriptionLine


class _Stored(NamedTuple):
    line: LineInput
    row: PrescriptionLine

    @property
    def holds(self) -> bool:
        return self.row.ended_at is None


def merge(sent: MultiDict, result: MultiDict, examination: Examination) -> bool:
    """Lines that nobody touched here are those that are stored now.

    Tells whether one was changed here that another has changed or taken off as well, or one was
    added here that another has added with other directions.
    """
    known, removed = _known(examination), set(sent.getlist(rx.REMOVED))
    texts = {text.partition(" ")[0]: text for text in sent.getlist(rx.LINE)}
    others = [each for key, each in known.items() if each.holds and key not in removed | {*texts}]
    ended = {key: each.line for key, each in known.items() if not each.holds and key in texts}
    for key, line in ended.items():
        if key in removed or _is_as_shown(line, sent):
            del texts[key]
    held = {key for key, each in known.items() if each.holds}
    own = [line for line in rx.said(sent).lines if line.key in texts.keys() - held]
    same, near = _twins(own, others)
    # What the other compound holds more would have to be typed again: both stay.
    gone = [*same.values(), *(twin for line, twin in near if line.parts == twin.line.parts)]
    kept = [_text(same[key].line, result) if key in same else text for key, text in texts.items()]
    kept += [_text(each.line, result) for each in others if each not in gone]
    result.setlist(rx.LINE, kept) if kept else result.poplist(rx.LINE)
    return bool(near) or any(line.key in ended for line in own if line.key not in same)


def _known(examination: Examination) -> dict[str, _Stored]:
    """By the key that its page gives it: each line that was ever stored."""
    prescription = prescriptions.of(examination)
    rows = prescription.lines if prescription else ()
    found = [_Stored(line_input(row), row) for row in rows]
    return {each.line.key: each for each in found}


def _twins(
    own: Sequence[LineInput], others: Sequence[_Stored]
) -> tuple[dict[str, _Stored], list[tuple[LineInput, _Stored]]]:
    """Of the lines written here: by key those stored from another page, and those stored alike."""
    wanted = usable(own)

    def says_it(line: LineInput, each: _Stored) -> bool:
        read = wanted.get(line.key)
        return read is not None and read.identity == prescriptions.identity(each.row)

    same = {line.key: twin for line, twin in _pairs(own, others, says_it)}
    rest = [line for line in own if line.key not in same]
    return same, _pairs(rest, [each for each in others if each not in same.values()], _is_near)


def _pairs(
    own: Sequence[LineInput],
    others: Sequence[_Stored],
    is_pair: Callable[[LineInput, _Stored], bool],
) -> list[tuple[LineInput, _Stored]]:
    found, free = [], list(others)
    for line in own:
        twin = next((each for each in free if is_pair(line, each)), None)
        if twin is not None:
            free.remove(twin)
            found.append((line, twin))
    return found


def _is_near(line: LineInput, each: _Stored) -> bool:
    """The same medicine, outside name or form of compound, whatever else is said of it."""
    titles = {" ".join(title.split()).casefold() for title in (line.title, each.line.title)}
    needs_title = line.what in (OUTSIDE, COMPOUND)
    return line.what == each.line.what and (not needs_title or len(titles) == 1)


def _text(line: LineInput, result: MultiDict) -> str:
    """What the form says of a stored line, its boxes put beside."""
    for box in rx.BOXES:
        result[f"rx_{box}-{line.key}"] = getattr(line, box)
    return f"{line.key} {line.what}"


def _is_as_shown(line: LineInput, sent: MultiDict) -> bool:
    boxes = {box: f"rx_{box}-{line.key}" for box in rx.BOXES}
    return all(
        plain(sent[name]) == plain(getattr(line, box))
        for box, name in boxes.items()
        if name in sent
    )


def plain(text: str) -> str:
    """A text as it compares: browsers send line ends of their own."""
    return text.replace("\r\n", "\n").strip()
