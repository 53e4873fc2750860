"""The head's and the operator's desk, and the help page. A module for each kind of page."""

from blueprints.system import (
    action_list,
    audit_trail,
    care,
    clinic_settings,
    lab_list,
    lexicon,
    medicine_list,
    open_sessions,
    rooms,
    rules,
    status,
    users,
    villages,
)
from blueprints.system.desk import bp

__all__ = [
    "action_list",
    "audit_trail",
    "bp",
    "care",
    "clinic_settings",
    "lab_list",
    "lexicon",
    "medicine_list",
    "open_sessions",
    "rooms",
    "rules",
    "status",
    "users",
    "villages",
]
