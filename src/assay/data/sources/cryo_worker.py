"""Runs Cryo in a process of its own, which can be ended when a node lets it wait.

Reads one JSON object a line, {"dataset": ..., "options": {...}}, and answers each with one line: Cryo's
counts, or {"error": ...}.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Answer until standard input ends."""
    # What Cryo prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import cryo  # type: ignore[import-untyped]

    for line in sys.stdin:
        job = json.loads(line)
        try:
            said = cryo.freeze(job["dataset"], verbose=False, **job["options"])
            counts = said if isinstance(said, dict) else {}
        except BaseException as error:  # noqa: BLE001 - Rust's panics are no Exception
            counts = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:200]}
        answers.write(json.dumps(counts) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
