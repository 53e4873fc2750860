"""What a request typed in the examination's form."""

from dataclasses import dataclass, field
from typing import Any

from flask import request

from blueprints.examination import procedure_fields
from blueprints.examination.forms import ExaminationForm
from clinic import diagnoses


@dataclass
class Typed:
    """What a request typed, to be shown again when it could not be stored."""

    form: ExaminationForm
    lines: list[diagnoses.Line]
    version: int
    options: list[Any] = field(default_factory=list)
    problem: str = ""
    is_conflict: bool = False

    @property
    def actions(self) -> list[str]:
        return [each.text for each in procedure_fields.entered(request.form) or []]

    @property
    def texts(self) -> list[str]:
        return [f"{line.code} {line.title}".strip() for line in self.lines]
