"""What comparing can be refused for.

::

    AssayError
    └── CompareError                    compare
        ├── NotComparable               compare/not-comparable
        └── LinkRefused                 compare/link-refused
"""

from __future__ import annotations

from assay.core.errors import AssayError


class CompareError(AssayError):
    """Base of everything this room raises."""

    code = "compare"


class NotComparable(CompareError):
    """The units, outcomes or shares allow no comparison."""

    code = "compare/not-comparable"


class LinkRefused(CompareError):
    """What is shown as a link of the hash chain is none."""

    code = "compare/link-refused"
