"""Keeps patients' numbers out of the logs, whatever a library writes there."""

import logging
import re

_LONG_NUMBER = re.compile(r"(?<!\d)(\d{6})\d{6,7}(\d{1,4})(?!\d)")


def scrub(text: str) -> str:
    """Mask runs of 13 to 16 digits: NIK, family card and BPJS numbers."""
    return _LONG_NUMBER.sub(r"\1******\2", text)


class Scrubber(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = scrub(logging.Formatter().formatException(record.exc_info))
        return True


def init_logging() -> None:
    """One handler on stderr, scrubbed; the service manager keeps and rotates it."""
    handler = logging.StreamHandler()
    handler.addFilter(Scrubber())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    if not any(isinstance(f, Scrubber) for h in root.handlers for f in h.filters):
        root.addHandler(handler)
        root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # each start checks the migrations
