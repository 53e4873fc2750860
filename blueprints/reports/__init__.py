"""Reports: what the clinic did in a day, a month, a year, and the visits behind each number."""

from blueprints.reports import desk, lists, pages, registers
from blueprints.reports.blueprint import bp
