"""The head's and the operator's desk, and the help page. A module for each kind of page."""

from blueprints.system import (
    action_list,
    audit_trail,
    backup_page,
    care,
    clinic_settings,
    clock,
    lab_list,
    lexicon,
    medicine_list,
    open_sessions,
    recovery_card,
    restore_page,
    rooms,
    rules,
    status,
    users,
    villages,
)
from blueprints.system.desk import bp
