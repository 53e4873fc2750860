"""The desk of the records staff: pairs that look alike, merges, incomplete identities, quality."""

from blueprints.records import (
    amendments,
    desk,
    history,
    import_details,
    imports,
    incomplete,
    merges,
    pairs,
    quality,
)
from blueprints.records.blueprint import bp
