"""The reference page in docs/reference is that of the code."""

import re
from pathlib import Path

from assay.compare.reference import PAGE_FILE, page


def test_it_is_fresh():
    assert (Path(__file__).parents[3] / "docs" / "reference" / PAGE_FILE).read_text() == page(), "run `make docs`"


def test_every_field_says_what_it_means():
    for row in re.findall(r"^\| `.*\|$", page(), flags=re.MULTILINE):
        assert len(row.replace("\\|", "").split("|")[4].strip()) > 5, row
