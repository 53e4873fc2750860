"""The examination room's page: history, vital signs, anamnesis, diagnoses, what happens next."""

from blueprints.examination import (
    amend,
    desk,
    immunization,
    laboratory,
    laboratory_steps,
    paper_desk,
    prescription_steps,
    screening,
    searches,
    unsaved_desk,
)
from blueprints.examination.blueprint import bp

__all__ = [
    "amend",
    "bp",
    "desk",
    "immunization",
    "laboratory",
    "laboratory_steps",
    "paper_desk",
    "prescription_steps",
    "screening",
    "searches",
    "unsaved_desk",
]
