"""Families are found by name; others come as plug-ins of installed packages."""

import sys

import pytest
from tests.unit.models.small import problem, rows

from assay.models.errors import FamilyUnknown
from assay.models.families.registry import family, names, suitable

PLUGIN = """
import numpy as np
from assay.models.families.family import Family, Fitted

class Mean(Fitted):
    def __init__(self, level): self.level = level
    def predict(self, rows, start=0): return np.full(len(rows) - start, self.level)
    def save(self, folder):
        (folder / "mean.txt").write_text(repr(self.level))
        return "mean.txt"

class MeanFamily(Family):
    name, title, kinds, provable, searched = "mean", "the mean", frozenset({"regression"}), False, False
    def fit(self, params, problem, rows, seed): return Mean(float(rows.y.mean()))
    def load(self, path, problem): return Mean(float(path.read_text()))

thing = 3
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a package with entry points: its module, and what pip would write beside it."""
    (tmp_path / "assay_test_mean.py").write_text(PLUGIN)
    facts = tmp_path / "assay_test_mean-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: assay-test-mean\nVersion: 1.0\n")
    points = ["[assay.families]", "mean = assay_test_mean:MeanFamily", "thing = assay_test_mean:thing"]
    points += ["broken = assay_test_absent:Family", "linear = assay_test_mean:MeanFamily"]
    (facts / "entry_points.txt").write_text("\n".join(points) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("assay_test_mean", None)


def test_a_plug_in_is_a_family_like_any_other(plugin):
    assert names()[-3:] == ["broken", "mean", "thing"]
    fitted = family("mean").fit({}, problem(), rows(), 0)
    assert fitted.predict(rows())[0] == pytest.approx(rows().y.mean())
    found, _ = suitable(("mean", "linear"), problem(), rows())
    assert [one.name for one in found] == ["mean", "linear"]


def test_a_plug_in_cannot_take_a_known_name(plugin):
    assert type(family("linear")).__module__ == "assay.models.families.linear"


@pytest.mark.parametrize(("name", "what"), [("broken", "does not load"), ("thing", "no assay")])
def test_a_broken_plug_in_is_named(plugin, name, what):
    with pytest.raises(FamilyUnknown, match=what):
        family(name)


def test_an_unknown_name_and_the_nearest():
    with pytest.raises(FamilyUnknown, match='Did you mean "xgboost"'):
        family("xgbost")


def test_all_that_suit_and_why_not_the_others():
    found, reasons = suitable((), problem("binary"), rows("binary"))
    assert [one.name for one in found] == ["logistic", "tree", "forest", "xgboost", "lightgbm"]
    networks = {"mlp", "cnn1d", "gru", "lstm", "bilstm"}
    assert set(reasons) == {"linear", *networks, "ewma", "garch", "har"}
