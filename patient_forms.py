"""A form knows whose it is: it carries `patient`, and nobody else's record takes it.

Between opening a page and sending its form the visit may have become somebody else's: patients
that were mixed up at the counter are put right, records are merged, tabs are many.
"""

from flask import abort, make_response, render_template, request

OTHER_PATIENT = (
    "Isian ini bukan untuk pasien atau kunjungan ini, jadi belum disimpan. "
    "Cocokkan nama dan tanggal lahir."
)
# What is on a page without being typed.
UNTYPED = {"csrf_token", "patient", "entry", "examination", "version", "aksi", "seen", "poli"}
UNTYPED |= {"ketikan"}


def is_for(*refs: str) -> bool:
    """Whether the form that was sent may be stored with this patient; one may have had two ids."""
    return request.form.get("patient", "") in ("", *refs)


def refuse_other(*refs: str) -> None:
    """Answer 409 to a form of another patient, with what was typed, to be taken along."""
    if is_for(*refs):
        return
    fields = [text for name, text in request.form.items(multi=True) if name not in UNTYPED]
    typed = [text for text in fields if text.strip()]
    page = render_template("errors/other_patient.html", problem=OTHER_PATIENT, typed=typed)
    abort(make_response(page, 409))
