"""Papers for the patient: issue, print, cancel, replace; labels for maps and samples."""

from blueprints.papers import desk, issue, labels
from blueprints.papers.blueprint import bp
