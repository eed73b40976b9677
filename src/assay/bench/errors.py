"""What can go wrong while measuring.

::

    AssayError
    └── BenchError                  bench
        ├── ProvingStopped          bench/proving-stopped    the process that proves ended without a result
        ├── FrontOutdated           bench/front-outdated     the candidates are of another dataset
        └── DecisionDamaged         bench/decision           a file does not hold a decision
"""

from __future__ import annotations

from assay.core.errors import AssayError


class BenchError(AssayError):
    """A measurement failed; an error of the process that proves arrives as this class with its own code."""

    code = "bench"


class ProvingStopped(BenchError):
    """The process that proves ended without a result: out of memory, or ended from outside."""

    code = "bench/proving-stopped"


class FrontOutdated(BenchError):
    """The candidates were explored on another dataset."""

    code = "bench/front-outdated"


class DecisionDamaged(BenchError):
    """A file does not hold a decision."""

    code = "bench/decision"
