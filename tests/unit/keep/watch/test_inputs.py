"""Inputs at the ends of their ranges, and alarms that end when all is well again."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.unit.keep.watch.test_loss import realised

from assay.keep.watch.drift import Trained
from assay.keep.watch.inputs import Terms, clamped, judged
from assay.task.watch import Watch
from assay.transpile.circuit.circuit import Feature

FLAG, PRICE = Feature("flag", "integer", 0, 1), Feature("price", "fixed", 0, 100 << 8, 8)


def at_ends(flags, prices, *, trained=0.0):
    """What is said of rows, after training rows of which so many prices were at an end."""
    X = np.stack([flags, prices], axis=1).astype(np.float64)
    lines = realised(np.zeros(len(X))).lines
    object.__setattr__(lines, "X", X)
    known = np.full((100, 2), 50.0)
    known[:, 0] = np.arange(100) % 2
    known[: round(100 * trained), 1] = 100.0
    return clamped(lines, [FLAG, PRICE], SimpleNamespace(X=known), Terms(0.05, Watch()))


def prices(count, off):
    return np.where(np.arange(count) < off, 100.0, 40.0)


def test_each_input_is_compared_with_its_own_training_rows():
    flags = np.arange(100) % 2  # at an end in every row, as ever
    assert at_ends(flags, prices(100, 0)).state == "well"
    found = at_ends(flags, prices(100, 8))
    assert (found.state, found.about, found.figures["share"]) == ("alarm", ("price",), 0.08)
    assert "8.0% of the last 100 rows have price" in found.said
    assert at_ends(flags, prices(100, 8), trained=0.05).state == "between"
    assert at_ends(flags, prices(100, 5), trained=0.05).state == "well"


@pytest.mark.parametrize(("count", "off", "state"), [(19, 9, "between"), (20, 2, "between"), (20, 3, "alarm")])
def test_a_few_rows_at_an_end_are_chance(count, off, state):
    assert at_ends(np.zeros(count), prices(count, off)).state == state


def test_of_many_inputs_it_is_well_again_although_one_is_always_unlikely():
    source = np.random.default_rng(4)
    known, calm = source.normal(size=(2000, 100)), source.normal(size=(200, 100))
    columns = [Trained.of(f"f{place}", column, timed=False) for place, column in enumerate(known.T)]
    found = {one.name: one for one in judged(columns, calm, alpha=0.05, lately=200, psi_limit=0.0)}
    least = found["inputs-moved"].figures["least chance"]
    assert least < 0.05
    assert found["inputs-moved"].state == "well"
