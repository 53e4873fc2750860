"""A form knows whose it is: it carries `patient`, and nobody else's record takes it.

Between opening a page and sending its form the visit may have become somebody else's: patients
that were mixed up at the counter are put right, records are merged, tabs are many.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, abort, make_response, render_template, request

from db import transaction
from models import Visit

OTHER_PATIENT = (
    "Isian ini bukan untuk pasien atau kunjungan ini, jadi belum disimpan. "
    "Cocokkan nama dan tanggal lahir."
)
# What is on a page without being typed.
UNTYPED = {"csrf_token", "patient", "entry", "examination", "version", "aksi", "seen", "poli"}
UNTYPED |= {"ketikan", "dibaca", "dari", "dicari"}
SHOWN = "shown-"  # how a field stood when its page was shown


def is_for(*refs: str) -> bool:
    """Whether the form that was sent may be stored with this patient; one may have had two ids."""
    return request.form.get("patient", "") in ("", *refs)


def refuse_other(*refs: str) -> None:
    """Answer 409 to a form of another patient, with what was typed, to be taken along."""
    if not is_for(*refs):
        abort(show_other())


def is_typed(name: str) -> bool:
    """Whether somebody typed or chose what this field of the form says."""
    return name.partition("-")[0] not in UNTYPED and not name.startswith(SHOWN)


class OtherPatient(Exception):
    """While the form was on its way the visit became somebody else's; nothing was stored."""


@contextmanager
def writing(visit: Visit) -> Iterator[None]:
    """The transaction that stores a form about this visit; looks again inside it whose it is.

    Between a view's own look and this moment the counter may have moved the visit: what was typed
    beside one patient's name, allergies and history must not come onto another's record. Raises
    OtherPatient, which the application answers as `refuse_other` does.
    """
    with transaction():
        if not is_for(visit.patient.public_id):
            raise OtherPatient
        yield


def show_other(_problem: OtherPatient | None = None) -> Response:
    """The page that says so, and gives back what was typed."""
    fields = [text for name, text in request.form.items(multi=True) if is_typed(name)]
    typed = [text for text in fields if text.strip()]
    page = render_template("errors/other_patient.html", problem=OTHER_PATIENT, typed=typed)
    return make_response(page, 409)
