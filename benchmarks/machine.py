"""What the figures were measured on."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("assay", "numpy", "scikit-learn", "xgboost-cpu")


def describe() -> dict[str, Any]:
    """Commit, processor, cores, memory and versions, now."""
    return {
        "commit": _output("git", "rev-parse", "HEAD"),
        # Results and pages rendered from them do not change what is measured.
        "uncommitted_changes": bool(
            _output("git", "status", "--porcelain", "--", ".", ":!benchmarks/results", ":!docs/benchmarks.md")
        ),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {
            "python": platform.python_version(),
            "rustc": _output("rustc", "--version"),
            "node": _output("node", "--version"),
            **{name: _version(name) for name in PACKAGES},
        },
    }


def now() -> str:
    """The time, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def load_average() -> float:
    """Processes that ran or waited, averaged over the last minute: a busy machine makes figures worse."""
    return round(os.getloadavg()[0], 2)


def _cpu() -> str:
    """Model name with family, model and stepping: virtual machines often report no more than the maker.

    With what makes proofs faster (docs/decisions, 0011), where the processor has it.
    """
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    fields = dict(re.findall(r"^(model name|cpu family|model|stepping)\s*: (.*)$", text, flags=re.MULTILINE))
    numbers = f"family {fields.get('cpu family')}, model {fields.get('model')}, stepping {fields.get('stepping')}"
    lanes = ", AVX-512 IFMA" if re.search(r"^flags\s*:.* avx512ifma\b", text, flags=re.MULTILINE) else ""
    return f"{fields.get('model name', platform.processor())} ({numbers}{lanes})"


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
