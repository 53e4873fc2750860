"""The room's desk: its queue, which refreshes itself, and the steps that staff take in it."""

from blueprints.poli import overview, queue, steps
from blueprints.poli.blueprint import bp
