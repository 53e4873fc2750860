"""A room's form as it is read: its answers in words, and what they say together."""

from collections.abc import Mapping
from dataclasses import dataclass

from clinic import pregnancy, sick_child, teeth
from clinic.form_case import Case
from clinic.form_definitions import (
    CHILD,
    DENTAL,
    FORMS,
    PREGNANCY,
    SICK_CHILD,
    codes_in_order,
    item_of,
)
from clinic.form_items import words
from clinic.pregnancy import AFTER_BIRTH
from validators import Finding


@dataclass(frozen=True)
class Sheet:
    """One form of one examination, with what its answers are judged by."""

    form: str
    answers: Mapping[str, str]
    case: Case

    @property
    def label(self) -> str:
        return FORMS[self.form].label if self.form in FORMS else self.form

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Label and words of each answer; teeth stand in `teeth`."""
        codes = codes_in_order(self.form, set(self.answers))
        items = [item_of(code) for code in codes if teeth.item_of(code) is None]
        return [(item.label, words(item, self.answers[item.code])) for item in items]

    @property
    def teeth(self) -> list[teeth.Finding]:
        return teeth.findings(self.answers)

    @property
    def summary(self) -> str:
        """What is computed from the answers."""
        if self.form != PREGNANCY or self.case.pregnant == AFTER_BIRTH:
            return ""
        dated = pregnancy.dating(self.answers, self.case.on)
        return dated.text if dated else ""

    @property
    def findings(self) -> list[Finding]:
        """What asks to be looked at."""
        if self.form == PREGNANCY:
            return pregnancy.risks(self.answers, self.case)
        if self.form == CHILD:
            return sick_child.growth_findings(self.answers, self.case)
        if self.form == DENTAL:
            return self._doubtful_teeth
        return sick_child.findings(self.answers, self.case) if self.form == SICK_CHILD else []

    @property
    def _doubtful_teeth(self) -> list[Finding]:
        numbers = ", ".join(teeth.seldom_there(self.teeth, self.case.age_months))
        if not numbers:
            return []
        sentence = f"Gigi {numbers} gigi susu, pasien {self.case.years} tahun. Periksa nomornya."
        return [Finding("DENTAL-AGE", "warning", sentence)]

    @property
    def is_urgent(self) -> bool:
        """Whether something is to be said though nothing is answered yet."""
        return self.form == SICK_CHILD and bool(sick_child.young_temperature(self.case))

    @property
    def measured(self) -> dict[str, Finding]:
        """By field: the findings that hang on what was measured or typed, not on who it is."""
        if self.form == DENTAL:
            return dict(zip(["teeth"], self.findings, strict=False))
        if self.form != PREGNANCY:
            return {}
        by_rule = {finding.rule: finding for finding in self.findings}
        asked = pregnancy.MEASURED.items()
        return {field: by_rule[rule] for rule, field in asked if rule in by_rule}


def sheets(forms: Mapping[str, Mapping[str, str]], case: Case) -> tuple[Sheet, ...]:
    """The forms that say something, in the order of their definition."""
    order = [*FORMS, *(name for name in forms if name not in FORMS)]
    found = (Sheet(name, forms[name], case) for name in order if name in forms)
    return tuple(sheet for sheet in found if sheet.answers or sheet.is_urgent)


def text(form: str, answers: Mapping[str, str]) -> str:
    """All answers in words, a line for each."""
    lines = [
        f"{item_of(code).label}: {words(item_of(code), answers[code])}"
        for code in codes_in_order(form, set(answers))
    ]
    return "\n".join(lines)
