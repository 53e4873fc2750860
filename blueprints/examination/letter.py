"""The way from an examination that refers to another house to the letter to take along."""

from flask import url_for

from clinic import paper_doubts, paper_texts, papers
from models import Disposition, Examination, Paper, PaperKind, Visit


def reminded(text: str, visit: Visit, examination: Examination) -> str | tuple[str, str, str]:
    """What was done; with the address and words of a link to its letter, where one is not out yet.

    Or to a paper that was printed from the draft and does not hold any more.
    """
    if stale := _stale(visit, examination):
        title = paper_texts.KINDS[stale.kind].title
        said = f"{text} {title} {stale.number} dicetak sebelum isinya berubah."
        return said, url_for("papers.paper", paper=stale.public_id), "Bandingkan suratnya"
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


def _stale(visit: Visit, examination: Examination) -> Paper | None:
    own = (paper for paper in papers.in_force(visit) if paper.examination_id == examination.id)
    return next((paper for paper in own if paper_doubts.doubt(paper)), None)
