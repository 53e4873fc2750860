"""The counter's desk: find, form, check page, save, ticket, corrections; identities by records."""

from blueprints.registration import (
    after,
    check,
    compare,
    correction,
    desk,
    emergency,
    form,
    slip_sheet,
    slips,
)
from blueprints.registration.blueprint import bp
