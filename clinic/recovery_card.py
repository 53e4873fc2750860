"""Makes a recovery key and its QR code: `python -m clinic.recovery_card`, told in JSON.

A process of its own, so that neither library stays in the memory of the web server.
"""

import json
import sys

import segno
from pyrage import x25519


def runs(rows: list[bytes]) -> list[str]:
    """The QR code's dark modules as runs for an SVG path: "M4 4h7"."""
    found = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                found.append(f"M{x} {y}h{length}")
            x += length or 1
    return found


def made() -> dict[str, object]:
    """A new pair, and what the card shows of it."""
    identity = x25519.Identity.generate()
    secret = str(identity)
    rows = list(segno.make(secret, error="m").matrix)
    public = str(identity.to_public())
    return {"secret": secret, "public": public, "qr": runs(rows), "size": len(rows)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(made()))
