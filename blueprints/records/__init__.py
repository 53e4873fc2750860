"""The desk of the records staff: pairs that look alike, merges, incomplete identities, quality."""

from blueprints.records import desk, incomplete, merges, pairs, quality
from blueprints.records.blueprint import bp

__all__ = ["bp", "desk", "incomplete", "merges", "pairs", "quality"]
