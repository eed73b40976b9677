"""How a soak ends: what it found, with its seconds and commit, printed and kept."""

import json
import os
import sys
import time


def ended(found, started, out):
    """Print the result, write it to `out` if that is given; the exit code, which says whether there was a fault."""
    found |= {"seconds": round(time.monotonic() - started, 1), "commit": os.environ.get("ASSAY_COMMIT", "")}
    text = json.dumps(found, indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 1 if found["faults"] else 0
