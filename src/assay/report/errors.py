"""What a report cannot be made of.

::

    AssayError
    └── ReportError                     report
        ├── ProfileDamaged              report/profile       the dataset's profile.json holds no profile
        ├── QuarantineDamaged           report/quarantine    the dataset's quarantine.parquet cannot be read
        ├── NothingDecided              report/nothing-decided  the page for people is of a model, and none was chosen
        └── ExperimentDamaged           report/experiment    an experiment's summary.json is none

What is missing is no error: the report says so. What another room wrote and cannot be read raises that room's error.
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ReportError(AssayError):
    """A report cannot be made."""

    code = "report"


class ProfileDamaged(ReportError):
    """The dataset's profile.json holds no profile."""

    code = "report/profile"


class QuarantineDamaged(ReportError):
    """The dataset's quarantine.parquet cannot be read."""

    code = "report/quarantine"


class NothingDecided(ReportError):
    """The page for people is of a model, and none was chosen."""

    code = "report/nothing-decided"


class ExperimentDamaged(ReportError):
    """An experiment's summary.json is none."""

    code = "report/experiment"
