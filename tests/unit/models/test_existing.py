"""The existing process in its four forms, and what is wrong with it."""

import numpy as np
import polars as pl
import pytest

from assay.core.errors import NotFound
from assay.models.errors import ExistingFailed
from assay.models.existing import ExistingProcess, decide
from assay.task.sections import Existing

from .small import panel, problem, rows


def test_its_four_forms(tmp_path):
    known = rows()
    assert (decide(problem(existing=Existing(kind="constant", value=2.5)), known.frame, tmp_path) == 2.5).all()
    column = decide(problem(existing=Existing(kind="column", column="today")), known.frame, tmp_path)
    assert np.array_equal(column, known.frame["today"].to_numpy())
    rule = "CASE WHEN x0 > 0.5 THEN 1 ELSE x1 END"
    ruled = decide(problem(existing=Existing(kind="rule", rule=rule)), known.frame, tmp_path)
    x0, x1 = known.frame["x0"].to_numpy(), known.frame["x1"].to_numpy()
    assert np.allclose(ruled, np.where(x0 > 0.5, 1, x1))
    (tmp_path / "existing.py").write_text("def decide(frame):\n    return [2 * x for x in frame['x0']]\n")
    called = decide(problem(existing=Existing(kind="function", function="existing.py:decide")), known.frame, tmp_path)
    assert np.allclose(called, 2 * x0)
    assert [path.name for path in tmp_path.iterdir()] == ["existing.py"]  # nothing compiled is left behind


@pytest.mark.parametrize(
    ("kind", "existing", "what"),
    [
        ("regression", {"kind": "column", "column": "todai"}, 'Did you mean "today"'),
        ("regression", {"kind": "rule", "rule": "nothing + 1"}, "nothing"),
        ("regression", {"kind": "rule", "rule": "CASE WHEN x0 > 0 THEN 1 END"}, "row"),
        ("binary", {"kind": "constant", "value": 7}, "0 to 1"),
        ("multiclass", {"kind": "constant", "value": 0.5}, "0 to 2"),
        ("regression", {"kind": "function", "function": "broken.py:decide"}, "ZeroDivisionError"),
        ("regression", {"kind": "function", "function": "leaving.py:decide"}, "SystemExit"),
        ("regression", {"kind": "function", "function": "short.py:decide"}, "for 400 rows"),
        ("regression", {"kind": "function", "function": "short.py:absent"}, "absent"),
        ("regression", {"kind": "function", "function": "text.py:decide"}, "no number"),
    ],
)
def test_what_cannot_be_executed_is_said(kind, existing, what, tmp_path):
    (tmp_path / "broken.py").write_text("def decide(frame):\n    return 1 / 0\n")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "short.py").write_text("def decide(frame):\n    return [1.0, 2.0]\n")
    (tmp_path / "text.py").write_text("def decide(frame):\n    return ['high'] * len(frame)\n")
    with pytest.raises(ExistingFailed, match=what):
        decide(problem(kind, existing=Existing(**existing)), rows(kind).frame, tmp_path)


def test_a_function_that_is_not_there(tmp_path):
    with pytest.raises(NotFound, match=r"existing\.py"):
        decide(problem(existing=Existing(kind="function", function="existing.py:decide")), rows().frame, tmp_path)


def test_classes_may_be_called_by_their_names(tmp_path):
    (tmp_path / "named.py").write_text("def decide(frame):\n    return ['no', 'yes'] * (len(frame) // 2)\n")
    existing = Existing(kind="function", function="named.py:decide")
    found = decide(problem("binary", existing=existing, labels=("no", "yes")), rows("binary").frame, tmp_path)
    assert found[:4].tolist() == [0, 1, 0, 1]


def test_a_yes_or_no_is_as_good_a_forecast_as_what_followed_it(tmp_path):
    known, question = rows("binary"), problem("binary")
    fitted = ExistingProcess(tmp_path).fit({}, question, known, 0)
    today = known.frame["today"].to_numpy()
    share = fitted.probability(known)
    assert set(fitted.predict(known)) == {0.0, 1.0}
    for answer in (0, 1):
        assert share[today == answer] == pytest.approx(known.y[today == answer].mean(), abs=0.01)
    again = ExistingProcess(tmp_path).load(tmp_path / fitted.save(tmp_path), question)
    assert np.array_equal(again.probability(known), share)


def test_a_probability_is_taken_as_it_is(tmp_path):
    question = problem("binary", existing=Existing(kind="rule", rule="1 / (1 + EXP(-x0))"))
    known = rows("binary")
    fitted = ExistingProcess(tmp_path).fit({}, question, known, 0)
    assert np.array_equal(fitted.probability(known), fitted.predict(known))


def test_more_classes_become_probabilities(tmp_path):
    known, question = rows("multiclass"), problem("multiclass")
    fitted = ExistingProcess(tmp_path).fit({}, question, known, 0)
    assert fitted.predict(known).shape == (400, 3)
    assert np.allclose(fitted.probability(known).sum(axis=1), 1)


@pytest.mark.parametrize("labels", [("1", "2", "3"), ("-1", "0", "5"), ("0.5", "1.5", "2.5")])
def test_it_may_answer_in_the_targets_own_values(labels, tmp_path):
    question = problem("multiclass", labels=labels)
    answers = [float(label) for label in labels]
    frame = pl.DataFrame({"today": answers * 4})
    assert decide(question, frame, tmp_path).tolist() == [0.0, 1.0, 2.0] * 4
    first = problem("multiclass", labels=labels, existing=Existing(kind="constant", value=answers[0]))
    assert (decide(first, frame, tmp_path) == 0).all()
    with pytest.raises(ExistingFailed, match=r"it answered 9.*one of the classes"):
        decide(question, pl.DataFrame({"today": [answers[0], 9.0]}), tmp_path)


def test_two_classes_by_their_values_or_as_a_probability(tmp_path):
    question = problem("binary", labels=("1", "2"))
    assert decide(question, pl.DataFrame({"today": [1, 2, 2]}), tmp_path).tolist() == [0, 1, 1]
    assert decide(question, pl.DataFrame({"today": [0.25, 0.5]}), tmp_path).tolist() == [0.25, 0.5]
    with pytest.raises(ExistingFailed, match="it answered 3"):
        decide(question, pl.DataFrame({"today": [1, 3]}), tmp_path)


def test_a_function_answers_to_the_rows_of_one_series_at_a_time(tmp_path):
    (tmp_path / "before.py").write_text(
        "def decide(rows):\n    assert rows['account'].n_unique() == 1\n    return rows['y'].shift(1).fill_null(-7.0)\n"
    )
    (tmp_path / "short.py").write_text("def decide(rows):\n    return rows['y'].head(3)\n")
    own = panel(series=4)
    asked = problem(
        entity="account", time="time", existing=Existing(kind="function", function="before.py:decide"), timed=True
    )
    found = decide(asked, own.frame, tmp_path)
    expected = own.frame.select(pl.col("y").shift(1).over("account").fill_null(-7.0)).to_series()
    assert np.array_equal(found, expected.to_numpy())
    with pytest.raises(ExistingFailed, match="there is no column account"):
        decide(asked, own.frame.drop("account"), tmp_path)
    short = problem(entity="account", time="time", existing=Existing(kind="function", function="short.py:decide"))
    with pytest.raises(ExistingFailed, match=r"it gave \(3,\) for [0-9]+ rows of account 0"):
        decide(short, own.frame.sort("account", maintain_order=True), tmp_path)


def test_a_function_may_import_files_beside_it(tmp_path):
    (tmp_path / "existing.py").write_text("from helper import K\ndef decide(frame):\n    return [K] * len(frame)\n")
    asked = problem(existing=Existing(kind="function", function="existing.py:decide"))
    for level in (1.5, 2.5):
        (tmp_path / "helper.py").write_text(f"K = {level}\n")
        assert (decide(asked, rows().frame, tmp_path) == level).all()
    (tmp_path / "existing.py").write_text("import sys\nsys.exit(5)\n")
    with pytest.raises(ExistingFailed, match="cannot be run"):
        decide(asked, rows().frame, tmp_path)
