"""Trees against networks: the search keeps to its time, the recipe learns, and the guide says what the result says."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.sequences import judge, page, questions, recipe, search  # noqa: E402

from assay.models.families.networks.architecture import Architecture  # noqa: E402
from assay.models.rows import Rows, rows_of  # noqa: E402


def test_the_search_makes_as_many_trials_as_fit():
    assert search._more(0, 0.0, 60) == 1
    assert search._more(1, 1.0, 60) == 6
    assert search._more(10, 50.0, 60) == 2
    assert search._more(1, 50.0, 60) == 0
    assert search._more(1, 35.0, 60) == 1
    assert search._more(5, 61.0, 60) == 0


@pytest.mark.parametrize("kind", ["lstm", "bilstm"])
def test_the_usual_recipe_learns(kind):
    random = np.random.default_rng(0)
    X = random.normal(size=(460, 8)).astype(np.float32)
    y = 5 + 2 * X[:, 2] + X[:, 6]  # of the second and the last row of the window
    known = Rows(X, y, pl.DataFrame({"y": y}))
    found = recipe.usual(Architecture(kind, 4, 2, 1, (6,)), known.between(0, 400), known.between(400, 460), 1)
    assert np.mean((found - y[400:]) ** 2) < 0.15 * np.var(y)


def test_a_ratio_has_its_interval():
    worse, half = recipe._ratio([1.02, 1.04, 1.06], [1.0, 1.0, 1.0])
    assert worse == pytest.approx(0.04)
    assert half == pytest.approx(2.92 * 0.02 / np.sqrt(3), rel=1e-3)  # Student's t of two degrees of freedom


def test_the_pools_question_is_the_examples_and_has_windows(tmp_path):
    one = questions.dynamic_fee(tmp_path / "project")
    assert one.task.data.window == questions.WINDOW
    assert one.task.metric == "value"
    assert one.of(("lstm",), 3).explore.trials == 3
    dataset = one.dataset()
    assert dataset.manifest.window == questions.WINDOW
    assert dataset.manifest.rows["train"].rows > 3000
    # Without windows there are some more rows at the beginning of each part, and the last ones are the same.
    alone = one.alone().dataset()
    assert alone.manifest.window == 1
    tests = {name: rows_of(data, "test") for name, data in (("windows", dataset), ("alone", alone))}
    same = judge._together(tests)
    assert len(same["alone"]) == len(same["windows"]) > 1000
    assert same["alone"].frame["volatility_day"].to_list() == same["windows"].frame["volatility_day"].to_list()


def test_the_guides_figures_are_those_of_the_result():
    text = page.GUIDE.read_text(encoding="utf-8")
    assert page.filled(text) == text, "run `python -m benchmarks.sequences --render`"


def against(low, high):
    first = {"improvement": (low + high) / 2, "low": low, "high": high, "confidence": 0.9}
    measured = {"prove_seconds": 0.2, "gas": 300_000}
    one = {"against": {"first": first}, "measured": measured, "fidelity": {}}
    return {"families": {"xgboost": {"against": {}, "measured": {"prove_seconds": 0.1, "gas": 200_000}}, "lstm": one}}


def test_what_loses_is_said_with_how_much():
    (lost,) = page._verdicts(against(-0.05, -0.01))
    assert lost == (
        "- LSTM: 3.0% more loss than XGBoost: it loses, by 1.0% at least and 5.0% at most. "
        "Its proof takes 1.50 times the gas."
    )
    assert "surely less: 1.0% at least" in page._verdicts(against(0.01, 0.05))[0]
    assert "nothing is shown, from 1.0% more to 5.0% less" in page._verdicts(against(-0.01, 0.05))[0]
