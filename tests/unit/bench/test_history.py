"""Each decision is added to the history, with what was changed and what that moved."""

import pytest

from assay.bench.decision import Decision
from assay.bench.errors import DecisionDamaged
from assay.bench.history import append, entries

from .test_choose import BASE, row, task


def decided(question, chosen, gain):
    rows = (row(question, "linear", BASE - gain, gas=200_000, cv_improvement=gain / 2), row(question, "existing", BASE))
    facts = {"dataset": "d", "study": "s", "metric": "rmse", "reasons": (), "limits": (), "basis": "b"}
    return Decision(
        schema="assay-decision/1", rows=rows, chosen=chosen, headline="so", test_rows=10, test_looks=1, **facts
    )


def test_what_was_changed_and_what_it_moved(tmp_path):
    first = append(tmp_path, task(gas=300_000), decided(task(), "linear", 0.1))
    assert (first.changed, first.moved) == ((), ())
    second = append(tmp_path, task(gas=250_000), decided(task(), "linear", 0.2))
    assert second.changed == ("[limits] gas: 300000, now 250000.",)
    assert second.moved == (
        "Improvement on the test rows: +10 %, now +20 %.",
        "Improvement in the cross-validation: +5.0 %, now +10 %.",
    )
    third = append(tmp_path, task(gas=250_000), decided(task(), None, 0.2))
    assert third.changed == ()
    assert third.moved == ("Chosen: Linear (linear), now none.",)
    assert [one.chosen for one in entries(tmp_path)] == ["linear", "linear", None]
    assert sorted(path.name for path in (tmp_path / "history").iterdir()) == ["0001.json", "0002.json", "0003.json"]


def test_another_dataset(tmp_path):
    append(tmp_path, task(), decided(task(), "linear", 0.1))
    other = decided(task(), "linear", 0.1).model_copy(update={"dataset": "e", "study": "t"})
    assert append(tmp_path, task(), other).changed == (
        "The dataset is another one.",
        "The candidates are of another exploration.",
    )


def test_a_damaged_entry_is_named(tmp_path):
    append(tmp_path, task(), decided(task(), "linear", 0.1))
    (tmp_path / "history" / "0001.json").write_text("{}")
    with pytest.raises(DecisionDamaged, match=r"0001\.json holds no history"):
        entries(tmp_path)
