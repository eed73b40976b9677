"""Where the benchmarks work: a folder that git ignores."""

from __future__ import annotations

from pathlib import Path

WORK = Path(__file__).with_name(".work")
