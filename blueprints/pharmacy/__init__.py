"""The pharmacy's pages: prescriptions, what is handed out, labels, stock."""

from blueprints.pharmacy import desk, labels, steps, stock, substitution
from blueprints.pharmacy.blueprint import bp
