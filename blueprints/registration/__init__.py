"""The counter's desk: find, form, check page, save, ticket, corrections; identities by records."""

from blueprints.registration import (
    after,
    check,
    compare,
    correction,
    desk,
    emergency,
    filling,
    form,
    slip_sheet,
    slips,
)
from blueprints.registration.blueprint import bp
