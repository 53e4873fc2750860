"""The counter's desk: find, form, check page, save, ticket, corrections."""

from blueprints.registration import after, check, compare, desk, emergency, form
from blueprints.registration.blueprint import bp

__all__ = ["after", "bp", "check", "compare", "desk", "emergency", "form"]
