"""A patient's pages: search, the record with its whole history, values over time, paper."""

from blueprints.patients import parts, printing, record
from blueprints.patients.blueprint import bp
