"""A longer replay of the example's pool, each row three times: `python -m tests.soak.observed --days 250`.

Dataset, live loop and contract must have the same row after every bar; the first that differs ends it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from tests.journey.test_observed import ROOT, same_rows

from assay.core import files


def main() -> None:
    """Replay and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=250, help="the last so many trading days of the data")
    parser.add_argument("--bar", default="6h", help="a bar, of which 88 must fit into the days")
    parser.add_argument("--every", type=int, default=1, help="the live loop makes one of so many rows")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "examples" / "dynamic-fee"))
    with files.scratch() as work:
        rows, live = same_rows(import_module, Path(work), count=options.days, bar=options.bar, every=options.every)
    print(f"{rows} rows of dataset and contract, {live} of the live loop: equal")  # noqa: T201


if __name__ == "__main__":
    main()
