"""Every family: fits, predicts, is saved and read again, and has the size that it said before."""

import numpy as np
import pytest
from tests.unit.models.small import problem, rows

from assay.models.errors import CandidateDamaged
from assay.models.families.registry import OWN, family
from assay.models.metrics import shape_fits
from assay.models.rows import Rows
from assay.transpile.api import read
from assay.transpile.errors import ModelUnsupported
from assay.transpile.linear.assemble import assemble_linear

PROVABLE = ["linear", "logistic", "tree", "forest", "xgboost", "lightgbm"]
KINDS = ["regression", "binary", "multiclass"]
CASES = [(name, kind) for name in PROVABLE for kind in KINDS if kind in family(name).kinds]


class Random:
    """Any point of a search space."""

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)

    def integer(self, name, low, high, *, log=False):
        return round(self.number(name, low, high, log=log))

    def number(self, name, low, high, *, log=False):
        if log:
            return float(np.exp(self._random.uniform(np.log(low), np.log(high))))
        return float(self._random.uniform(low, high))

    def choice(self, name, options):
        return options[self._random.integers(len(options))]


class Bounds:
    """Holds that given parameters lie in the search space."""

    def __init__(self, params):
        self._params = params

    def integer(self, name, low, high, *, log=False):
        assert isinstance(self._params[name], int)
        return self.number(name, low, high)

    def number(self, name, low, high, *, log=False):
        assert low <= self._params[name] <= high
        return self._params[name]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_it_learns_and_is_read_again(name, kind, tmp_path):
    one, question, known = family(name), problem(kind), rows(kind)
    fitted = one.fit(one.defaults(question), question, known, 3)
    found = fitted.predict(known)
    assert shape_fits(kind, question.classes, len(known), found)
    assert np.array_equal(fitted.predict(known, 30), found[30:])
    if kind == "regression":
        assert np.mean((found - known.y) ** 2) < 0.8 * np.var(known.y)
    else:
        classes = found >= 0.5 if kind == "binary" else found.argmax(axis=1)
        assert np.mean(classes == known.y) > 1.3 / question.classes
    again = one.load(tmp_path / fitted.save(tmp_path), question)
    assert np.array_equal(again.predict(known), found)
    assert again.size() == fitted.size()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_its_file_is_what_transpile_reads_and_its_size_the_circuits(name, kind, tmp_path):
    from assay.bench.circuits import size_of
    from assay.transpile.api import transpile

    one, question, known = family(name), problem(kind), rows(kind)
    fitted = one.fit(one.defaults(question), question, known, 3)
    path = tmp_path / fitted.save(tmp_path)
    assert len(read(path).features) == 4
    assert size_of(transpile(path, calibration=known.X if name in {"linear", "logistic"} else None)) == fitted.size()


@pytest.mark.parametrize("name", ["tree", "forest", "xgboost", "lightgbm"])
def test_missing_values_are_learned_and_counted(name, tmp_path):
    from assay.bench.circuits import size_of
    from assay.transpile.api import transpile

    known = rows("binary")
    X = known.X.copy()
    X[::7, 1] = np.nan
    question, own = problem("binary"), Rows(X, known.y, known.frame)
    one = family(name)
    assert one.refuses(question, own) is None
    params = one.defaults(question)
    fitted = one.fit(params, question, own, 3)
    assert np.isfinite(fitted.predict(own)).all()
    size = size_of(transpile(tmp_path / fitted.save(tmp_path)))
    assert size == fitted.size()
    assert one.expected_size(params, question, own, 3).views == size.views == 8


@pytest.mark.parametrize("name", ["linear", "logistic"])
def test_linear_models_say_what_they_cannot_do(name):
    kind = "regression" if name == "linear" else "binary"
    known = rows(kind)
    X = known.X.copy()
    X[5, 1] = np.nan
    one = family(name)
    assert "missing" in one.refuses(problem(kind), Rows(X, known.y, known.frame))
    assert "public" in one.refuses(problem(kind, private=True), known)
    assert "multiclass" in family("linear").refuses(problem("multiclass"), known)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_equal_seeds_give_equal_models(name, kind, tmp_path):
    one, question, known = family(name), problem(kind), rows(kind)
    params = one.space(Random(4), question)
    files = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        place = tmp_path / run / one.fit(params, question, known, 3).save(tmp_path / run)
        files.append(one.load(place, question).predict(known).tobytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_defaults_lie_in_the_search_space(name, kind):
    one, question = family(name), problem(kind)
    params = one.defaults(question)
    assert one.space(Bounds(params), question) == params


def test_the_size_before_training_predicts_the_cost_of_the_trained_model(calibration):
    """Nineteen of twenty models of random parameters within a quarter, on data with noise, as in the search."""
    errors = []
    for kind in KINDS:
        known = rows(kind, count=1500, seed=1)
        for name in ("tree", "forest", "xgboost", "lightgbm"):
            one, question = family(name), problem(kind)
            for seed in range(4):
                params = one.space(Random(seed), question)
                params |= {key: min(value, 60) for key, value in params.items() if key in {"rounds", "trees"}}
                before = one.expected_size(params, question, known, 3)
                after = one.fit(params, question, known, 3).size()
                assert (before.kind, before.features, before.outputs, before.views) == (
                    after.kind,
                    after.features,
                    after.outputs,
                    after.views,
                )
                costs = [calibration.predict(size) for size in (before, after)]
                errors.append(abs(costs[0].prove_seconds / costs[1].prove_seconds - 1))
                assert costs[0].gas == pytest.approx(costs[1].gas, rel=0.25)
                assert costs[0].memory_mb == pytest.approx(costs[1].memory_mb, rel=0.5)
    assert np.mean(np.array(errors) <= 0.25) >= 0.95
    assert np.mean(errors) < 0.05


@pytest.mark.parametrize(
    ("name", "file"), [("linear", "model.skops"), ("xgboost", "model.json"), ("lightgbm", "model.txt")]
)
def test_a_damaged_model_file_is_named(name, file, tmp_path):
    one, question, known = family(name), problem(), rows()
    fitted = one.fit(one.defaults(question), question, known, 3)
    path = tmp_path / fitted.save(tmp_path)
    assert path.name == file
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(CandidateDamaged, match=file.replace(".", r"\.")):
        one.load(path, question)


def test_every_family_is_a_file_of_its_own():
    networks = {"mlp", "cnn1d", "gru", "lstm", "bilstm"}
    assert sorted(OWN) == sorted({*PROVABLE, *networks, "existing", "ewma", "garch", "har"})
    for name, place in OWN.items():
        room = "models" if name == "existing" else "models.families"
        assert place.startswith(f"assay.{room}.{name}:")
        assert family(name).name == name


@pytest.mark.parametrize("name", ["linear", "logistic"])
def test_values_that_cannot_be_proven_are_refused_before_any_training(name):
    kind = "regression" if name == "linear" else "binary"
    question, known = problem(kind), rows(kind)
    for size, words in ((2.0**57.9, None), (2.0**58, "x1 reaches 2.88e+17")):
        X = known.X.copy()
        X[5, 1] = -size
        large = Rows(X, known.y, known.frame)
        refused = family(name).refuses(question, large)
        assert (refused is None) if words is None else (words in refused)
        # What is refused is what converting refuses.
        fitted = family(name).fit(family(name).defaults(question), question, known, 3)
        linear = read(fitted.model)
        converts = True
        try:
            assemble_linear(linear, {}, X)
        except ModelUnsupported:
            converts = False
        assert converts == (words is None)
    wide = problem(kind, wide=("x1",))
    assert family(name).refuses(wide, large) is None


def test_a_tree_of_a_forest_draws_no_more_rows_than_it_needs(monkeypatch):
    from assay.models.families import forest

    question, known = problem("regression"), rows("regression")
    one = family("forest")
    every = one.fit(one.defaults(question), question, known, 3)
    assert every.model.estimators_[0].tree_.weighted_n_node_samples[0] == 400
    monkeypatch.setattr(forest, "ROWS_A_TREE", 100)
    few = one.fit(one.defaults(question), question, known, 3)
    assert few.model.estimators_[0].tree_.weighted_n_node_samples[0] == 100
