"""The process that proves, so that its memory is that of proving alone.

As a program: python -m assay.bench.worker FOLDER ROWS RUNS OUT. It writes `prove.json`, and `proof.bin` or
what was refused, into the folder OUT.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.bench.timing import repeated, timed
from assay.core.errors import AssayError
from assay.prove.keys import PROVING_KEY_FILE, ProvingKey
from assay.prove.prove import prove
from assay.transpile.rows.rows import read_rows

if TYPE_CHECKING:
    from assay.prove.proof import Proof

RESULT_FILE = "prove.json"
PROOF_FILE = "proof.bin"


def run(folder: Path, rows: Path, runs: int, out: Path) -> dict[str, Any]:
    """Prove once to warm up and `runs` times for the clock; leave the first proof in `out`."""
    inputs = read_rows(rows)

    def first() -> tuple[ProvingKey, Proof]:
        key = ProvingKey.load(folder / PROVING_KEY_FILE)
        return key, prove(key, inputs)

    first_seconds, (key, proof) = timed(first)
    seconds = repeated(lambda: prove(key, inputs), runs)
    (out / PROOF_FILE).write_bytes(proof.to_bytes())
    return {"first_seconds": first_seconds, "seconds": seconds, "peak_memory_bytes": peak_memory_bytes()}


def peak_memory_bytes() -> int | None:
    """High-water mark of this process's memory, or None where the operating system does not tell.

    Linux: not `getrusage`, whose mark also counts the parent's memory at the moment of the fork.
    """
    status = Path("/proc/self/status")
    if status.exists():
        _, found, rest = status.read_text(encoding="ascii", errors="replace").partition("VmHWM:")
        return int(rest.split(maxsplit=1)[0]) * 1024 if found else None
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def main() -> None:
    """Measure, and write the result or what was refused."""
    folder, rows, runs, out = sys.argv[1:]
    try:
        result = run(Path(folder), Path(rows), int(runs), Path(out))
    except AssayError as error:
        result = {"error": {"what": error.what, "todo": error.todo, "code": error.code}}
    (Path(out) / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
