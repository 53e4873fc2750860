"""What every form of a page is: the few messages that WTForms has of its own are Indonesian."""

from collections.abc import Callable, Mapping

from wtforms import Field, Form, ValidationError
from wtforms.fields.choices import SelectChoice

from typed_text import is_seen


class Messages:
    WORDS = {
        "Not a valid choice.": "Pilih salah satu dari daftar.",
        "Invalid Choice: could not coerce.": "Pilih salah satu dari daftar.",
    }
    OTHERWISE = "Pilihan ini tidak ada di daftar. Pilih lagi."

    def gettext(self, text: str) -> str:
        return self.WORDS.get(text, self.OTHERWISE)

    def ngettext(self, _singular: str, _plural: str, _count: int) -> str:
        return self.OTHERWISE


class PageForm(Form):
    """Base of all forms."""

    class Meta:
        def get_translations(self, _form: Form) -> Messages:
            return Messages()

    def process(self, *args, **kwargs) -> None:
        """A field in which nothing can be seen is empty, whatever its checks ask of its text."""
        super().process(*args, **kwargs)
        for field in self:
            if isinstance(field.data, str) and not is_seen(field.data):
                field.data = ""


def filled(sentence: str) -> Callable[[Form, Field], None]:
    """Validator after `checked_by` or its like: something is left of what was typed.

    `DataRequired` looks at the raw text, in which an invisible letter is one.
    """

    def check(_form: Form, field: Field) -> None:
        if not field.errors and field.cleaned in (None, ""):
            raise ValidationError(sentence)

    return check


def choices(labels: Mapping[str, str], empty: str = "") -> list[SelectChoice]:
    """Choices for a select; `empty` is the label of "nothing chosen", if that is possible."""
    named = ({"": empty} if empty else {}) | dict(labels)
    return [SelectChoice(value=str(value), label=label) for value, label in named.items()]
