"""What was not tried is said where it was to be tried."""

import pytest

from assay.models.families.family import WINDOWLESS
from assay.models.search.front import Failed, Front, Pruned

WIDE, MISSING = "takes no values of 2^58 and above, and wei reaches 9e+24", "takes no missing values"
EMPTY = Front(
    schema="assay-front/1",
    dataset="d",
    study="s",
    calibration="c",
    metric="rmse",
    trials=9,
    seed=1,
    folds=3,
    candidates=(),
)


@pytest.mark.parametrize(
    ("kind", "skipped", "said"),
    [
        (
            "regression",
            {"linear": WIDE, "logistic": "is not for a regression target"},
            [f"linear was not tried: it {WIDE}"],
        ),
        (
            "binary",
            {"linear": "is not for a binary target", "logistic": MISSING},
            [f"logistic was not tried: it {MISSING}"],
        ),
        ("regression", {"lstm": WINDOWLESS, "har": "needs rows in time", "mlp": "is tried where it is named"}, []),
        ("regression", {"lstm": MISSING}, [f"lstm was not tried: it {MISSING}"]),
    ],
)
def test_families_that_the_rows_kept_from_being_tried(kind, skipped, said):
    assert EMPTY.model_copy(update={"skipped": skipped}).told(kind) == said


def test_trials_without_a_candidate():
    failed = tuple(Failed(trial=one, family="forest", what="out of memory") for one in range(2))
    pruned = (Pruned(trial=3, family="forest", limits=("prove_seconds",)),)
    assert EMPTY.model_copy(update={"failed": failed, "pruned": pruned}).told("regression") == [
        "2 trials failed, the first because: out of memory",
        "1 trials were not trained: their predicted cost breaks a limit",
    ]
