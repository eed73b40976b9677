"""What decisions keep for the next one."""

import json

import pytest

from assay.bench.errors import DecisionDamaged
from assay.bench.facts import Evaluation, Fidelity
from assay.bench.measurements import FILE, Measurements
from assay.core.errors import StorageError


def fidelity(error):
    values = {"int": 1, "float": error, "bool": True, "str": "", "float | None": error}
    return Fidelity.model_validate({name: values[str(kind)] for name, kind in Fidelity.__annotations__.items()})


@pytest.mark.parametrize("error", [0.25, float("inf")])
def test_what_was_measured_is_read_again(tmp_path, error):
    kept = Measurements.load(tmp_path)
    assert (kept.measured, kept.looks) == ({}, {})
    kept.measured["a"] = Evaluation(fidelity=fidelity(error), measured=None)
    kept.save(tmp_path)
    assert Measurements.load(tmp_path) == kept


def test_looks_are_counted_when_models_are_new(tmp_path):
    kept = Measurements.load(tmp_path)
    assert [kept.look("data", models) for models in (["a", "b"], ["b"], ["c", "a"], ["c", "b"])] == [1, 1, 2, 2]
    assert kept.look("other data", []) == 1
    kept.save(tmp_path)
    assert Measurements.load(tmp_path).look("data", ["d"]) == 3


def test_damage_is_named_and_another_release_measured_again(tmp_path):
    Measurements.load(tmp_path).save(tmp_path)
    content = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(content | {"schema": "assay-measurements/0", "x": 1}))
    assert Measurements.load(tmp_path).measured == {}
    for text in ("{", "[" * 100_000, json.dumps(content | {"looks": 3}), json.dumps(content | {"measured": {"a": {}}})):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(DecisionDamaged, match="no measurements"):
            Measurements.load(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(StorageError):
        Measurements.load(tmp_path)
