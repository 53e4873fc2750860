"""The way from an examination that refers to another house to the letter to take along."""

from flask import url_for

from clinic import papers
from models import Disposition, Examination, PaperKind, Visit


def reminded(text: str, visit: Visit, examination: Examination) -> str | tuple[str, str, str]:
    """What was done; where its letter is not out, with the address and words of a link to it."""
    if not _lacks_letter(visit, examination):
        return text
    form = url_for(
        "papers.form",
        visit=visit.public_id,
        jenis=PaperKind.REFERRAL.value,
        pemeriksaan=examination.public_id,
    )
    return f"{text} Surat rujukannya belum terbit.", form, "Terbitkan surat rujukan"


def _lacks_letter(visit: Visit, examination: Examination) -> bool:
    if examination.disposition != Disposition.EXTERNAL:
        return False
    return all(paper.kind is not PaperKind.REFERRAL for paper in papers.in_force(visit))
