"""Proofs one after another in this process: `python -m benchmarks.serve_alone KEYS`, rows at standard input."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from assay.prove.keys import PROVING_KEY_FILE, ProvingKey
from assay.prove.prove import prove


def main() -> None:
    """Print the seconds of each proof but the first."""
    key = ProvingKey.load(Path(sys.argv[1]) / PROVING_KEY_FILE)
    rows, seconds = json.load(sys.stdin), []
    for row in rows:
        start = time.perf_counter()
        prove(key, [row])
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds[1:]))


if __name__ == "__main__":
    main()
