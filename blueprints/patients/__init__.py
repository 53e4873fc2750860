"""A patient's pages: search, the record with its whole history, measured values over time."""

from blueprints.patients import parts, record
from blueprints.patients.blueprint import bp

__all__ = ["bp", "parts", "record"]
