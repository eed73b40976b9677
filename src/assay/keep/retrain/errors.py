"""What retraining can be refused for, before anything is trained.

::

    KeepError                           keep
    └── RetrainError                    retrain
        ├── NothingDecides              retrain/no-champion
        ├── ChampionFrozen              retrain/champion-frozen
        ├── NoOrder                     retrain/no-order
        ├── SourceElsewhere             retrain/source-elsewhere
        ├── RetrainBusy                 retrain/busy
        └── PlanUnreadable              retrain/plan
"""

from __future__ import annotations

from assay.keep.errors import KeepError


class RetrainError(KeepError):
    """Base of everything that retraining raises."""

    code = "retrain"


class NothingDecides(RetrainError):
    """No release decides that a new one could be compared with, or it lacks what it would be compared by."""

    code = "retrain/no-champion"


class ChampionFrozen(RetrainError):
    """The model that decides by the record is frozen on a chain: nothing of it counts there."""

    code = "retrain/champion-frozen"


class NoOrder(RetrainError):
    """The rows have no order in time, so none of them is fresh."""

    code = "retrain/no-order"


class SourceElsewhere(RetrainError):
    """A source's file is neither in the project's folder nor named by its whole path, or is gone."""

    code = "retrain/source-elsewhere"


class RetrainBusy(RetrainError):
    """Another process retrains this project."""

    code = "retrain/busy"
    retry = True


class PlanUnreadable(RetrainError):
    """The record's plan of a retraining is none that this release can read."""

    code = "retrain/plan"
