"""How the clinic writes its medical record numbers: the template that the head chooses.

`{urut:6}` counts all patients. `{desa:2}{kk:4}{anggota:2}` is the family numbering of many
puskesmas: village, folder of the family within it, place in the family. Pure.
"""

import re
from dataclasses import dataclass

Part = tuple[str, int]  # name and width of a place; literal text has the width 0
LONGEST = 20
_PART = re.compile(r"\{(urut|desa|kk|anggota):([1-8])\}")
_LITERAL = re.compile(r"[A-Z0-9./-]*")


class TemplateError(ValueError):
    """A template that can't give every patient a number of their own; a sentence for the head."""


@dataclass(frozen=True)
class Template:
    parts: tuple[Part, ...]

    @property
    def names(self) -> list[str]:
        """The places in their order, without the literal text."""
        return [name for name, width in self.parts if width]

    @property
    def by_family(self) -> bool:
        return "kk" in self.names


def parse(text: str) -> Template:
    """The template of this text. Raises TemplateError."""
    parts: list[Part] = []
    at = 0
    for found in _PART.finditer(text):
        parts += [(text[at : found.start()], 0), (found[1], int(found[2]))]
        at = found.end()
    parts.append((text[at:], 0))
    template = Template(tuple(part for part in parts if part[0]))
    _check(template)
    return template


def _check(template: Template) -> None:
    names = template.names
    literals = [name for name, width in template.parts if not width]
    if not all(_LITERAL.fullmatch(text) for text in literals):
        raise TemplateError(
            "Pakai {urut:6}, {desa:2}, {kk:4}, {anggota:2}, huruf besar, angka, titik, garis."
        )
    if len(names) != len(set(names)):
        raise TemplateError("Tiap bagian, misalnya {urut:6}, hanya boleh sekali.")
    by_family = [name for name in names if name in ("kk", "anggota")]
    if by_family and (by_family != ["kk", "anggota"] or "urut" in names):
        raise TemplateError("{kk:4} dan {anggota:2} dipakai bersama, berurutan, tanpa {urut:6}.")
    if not by_family and "urut" not in names:
        raise TemplateError("Nomor harus memuat {urut:6}, atau {kk:4} dan {anggota:2}.")
    if sum(width or len(name) for name, width in template.parts) > LONGEST:
        raise TemplateError(f"Nomor rekam medis paling panjang {LONGEST} huruf dan angka.")


def checked(text: str) -> str:
    """The template's text, tidied. Raises TemplateError."""
    parse(text.strip())
    return text.strip()
