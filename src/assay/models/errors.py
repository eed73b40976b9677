"""What can go wrong while models are explored.

::

    AssayError
    └── ModelsError                     models
        ├── FamilyUnknown               models/family              no family of that name, or its plug-in is broken
        ├── NothingToExplore            models/nothing-to-explore  no family suits the task and the data
        ├── TooFewRows                  models/too-few-rows        fewer rows or classes than the folds need
        ├── ExistingFailed              models/existing            the existing process cannot be executed
        ├── LossFailed                  models/loss                the expression of [value].loss cannot be computed
        ├── MetricUnsuitable            models/metric              the metric does not fit the type of the target
        ├── CandidateDamaged            models/candidate           a candidate's folder does not hold a candidate
        ├── CalibrationDamaged          models/calibration         a calibration's file does not hold one
        └── TrialsFailed                models/trials-failed       every trial failed
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ModelsError(AssayError):
    """Models cannot be explored."""

    code = "models"


class FamilyUnknown(ModelsError):
    """There is no family of that name, or its plug-in does not load."""

    code = "models/family"


class NothingToExplore(ModelsError):
    """No family that the task allows suits its target and its data."""

    code = "models/nothing-to-explore"


class TooFewRows(ModelsError):
    """The training rows, or the classes among them, do not fill the folds."""

    code = "models/too-few-rows"


class ExistingFailed(ModelsError):
    """The existing process could not be executed on the rows."""

    code = "models/existing"


class LossFailed(ModelsError):
    """The user's loss could not be computed."""

    code = "models/loss"


class MetricUnsuitable(ModelsError):
    """The metric does not fit the type of the target."""

    code = "models/metric"


class CandidateDamaged(ModelsError):
    """A folder does not hold a candidate, or only a part of one."""

    code = "models/candidate"


class CalibrationDamaged(ModelsError):
    """A file does not hold a calibration of this release."""

    code = "models/calibration"


class TrialsFailed(ModelsError):
    """Not one trial came to an end."""

    code = "models/trials-failed"
