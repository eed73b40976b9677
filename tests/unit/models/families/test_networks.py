"""Networks that are trained here: what their files say is what was trained, and it is as good as a plain training."""

import itertools
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest
from tests.unit.models.families.test_families import Bounds, Random
from tests.unit.models.small import problem

from assay.bench.circuits import size_of as size_of_circuit
from assay.models.cost import network as cost
from assay.models.cost.cost import Calibration
from assay.models.errors import CandidateDamaged
from assay.models.families.networks import network, training
from assay.models.families.networks.architecture import Architecture, initial
from assay.models.families.networks.export import Scaling, export
from assay.models.families.networks.sizes import size_of
from assay.models.families.registry import family, suitable
from assay.models.metrics import shape_fits
from assay.models.rows import Rows
from assay.transpile.api import transpile
from assay.transpile.fidelity.fidelity import fidelity
from assay.transpile.networks import cost as compiled

NAMES = ["mlp", "cnn1d", "gru", "lstm", "bilstm"]
WINDOW, FEATURES = 5, 2


def question(kind="regression", *, window=WINDOW, **changes):
    return problem(kind, window=window, features=tuple(f"f{n}" for n in range(window * FEATURES)), **changes)


def rows(kind="regression", count=600, seed=0):
    """Windows over one series, as a view; the target follows the newest row and the third."""
    random = np.random.default_rng(seed)
    base = (random.normal(size=(count + WINDOW - 1, FEATURES)) * [1, 50] + [0, 7000]).astype(np.float32)
    X = np.lib.stride_tricks.sliding_window_view(base.ravel(), WINDOW * FEATURES)[::FEATURES]
    old, new, other = X[:, 4], X[:, -2], (X[:, -1] - 7000) / 50
    signal = 0.5 * old + np.tanh(new) + 0.8 * new * other + 0.3 * random.normal(size=count)
    y = {"regression": 40 + 3 * signal, "binary": signal > 0, "multiclass": np.digitize(signal, [-0.5, 0.5])}[kind]
    y = np.asarray(y, dtype=np.float64)
    return Rows(X, y, pl.DataFrame({"y": y}))


ARCHITECTURES = [
    Architecture("mlp", 4, 3, 2, (6, 5)),
    Architecture("cnn1d", 6, 3, 1, (6, 5), kernel=3),
    Architecture("gru", 4, 3, 2, (5, 4)),
    Architecture("lstm", 4, 3, 1, (5,)),
    Architecture("bilstm", 4, 3, 1, (4, 3)),
]


@pytest.mark.parametrize("one", ARCHITECTURES, ids=lambda one: one.kind)
def test_the_file_answers_as_what_was_trained(one):
    """Gates and directions in ONNX's order: onnxruntime against the functions that JAX differentiates."""
    random = np.random.default_rng(1)
    params = initial(one, 3)
    assert {name: value.shape for name, value in params.items()} == one.shapes()
    params = {name: (v + 0.2 * random.normal(size=v.shape)).astype(np.float32) for name, v in params.items()}
    scaling = Scaling(np.array([0.0, 5.0, 1000.0]), np.array([1.0, 10.0, 100.0]), 3.0, 7.0)
    X = random.normal(size=(11, one.window, 3)) * scaling.deviation + scaling.mean
    wanted = 3 * training.forward(one, params, ((X - scaling.mean) / scaling.deviation).astype(np.float32)) + 7
    content = export(one, params, scaling)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    given = X.reshape(11, -1) if one.kind == "mlp" else X
    (found,) = onnxruntime.InferenceSession(content).run(None, {"rows": given.astype(np.float32)})
    assert found.shape == (11, one.outputs)
    assert np.abs(found - wanted).max() < 1e-5 * max(np.abs(wanted).max(), 1)
    # Every parameter counts.
    for name, value in params.items():
        moved = training.forward(one, params | {name: value * 1.1 + 0.1}, np.ones((2, one.window, 3), np.float32))
        assert not np.allclose(moved, training.forward(one, params, np.ones((2, one.window, 3), np.float32)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mlp", "multiclass"), ("cnn1d", "binary"), ("gru", "regression"), ("lstm", "binary"), ("bilstm", "regression")],
)
def test_it_learns_and_is_read_again(name, kind, tmp_path):
    one, asked, known = family(name), question(kind), rows(kind)
    assert one.refuses(asked, known) is None
    learned, unseen = known.between(0, 450), known.between(450, 600)
    fitted = one.fit(one.defaults(asked), asked, learned, 3)
    found = fitted.predict(unseen)
    assert shape_fits(kind, asked.classes, 150, found)
    if kind == "regression":
        assert np.mean((found - unseen.y) ** 2) < 0.3 * np.var(unseen.y)
    else:
        classes = found >= 0.5 if kind == "binary" else found.argmax(axis=1)
        assert np.mean(classes == unseen.y) > {"binary": 0.75, "multiclass": 0.6}[kind]
        assert (found >= 0).all()
        assert (found <= 1).all()
    assert np.array_equal(fitted.predict(known, 450), found)
    again = one.load(tmp_path / fitted.save(tmp_path), asked)
    assert np.array_equal(again.predict(unseen), found)
    assert again.size() == fitted.size() == one.expected_size(one.defaults(asked), asked, known, 3)


def test_it_is_as_good_as_a_plain_training():
    """The usual recipe, written down here: Adam at 1e-3, batches of 32, 100 epochs, on all rows."""
    import jax
    import jax.numpy as jnp
    import optax

    asked, known = question(), rows(count=900)
    learned, unseen = known.between(0, 600), known.between(600, 900)
    fitted = family("mlp").fit({"layers": 2, "units": 16, "rate": 3e-3, "decay": 0.3}, asked, learned, 1)
    own = np.mean((fitted.predict(unseen) - unseen.y) ** 2)

    scale = learned.X.mean(axis=0), learned.X.std(axis=0), learned.y.mean(), learned.y.std()
    X, y = (learned.X - scale[0]) / scale[1], (learned.y - scale[2]) / scale[3]
    key, sizes = jax.random.key(0), [WINDOW * FEATURES, 16, 16, 1]
    glorot = jax.nn.initializers.glorot_uniform()
    params = [
        (glorot(jax.random.fold_in(key, n), pair), jnp.zeros(pair[1]))
        for n, pair in enumerate(itertools.pairwise(sizes))
    ]

    def forward(params, X):
        for weight, bias in params[:-1]:
            X = jax.nn.relu(X @ weight + bias)
        return (X @ params[-1][0] + params[-1][1])[:, 0]

    adam = optax.adam(1e-3)

    @jax.jit
    def step(params, state, X, y):
        gradient = jax.grad(lambda own: jnp.mean((forward(own, X) - y) ** 2))(params)
        moved, state = adam.update(gradient, state)
        return optax.apply_updates(params, moved), state

    random, state = np.random.default_rng(0), adam.init(params)
    for _ in range(100):
        order = random.permutation(600)
        for start in range(0, 576, 32):
            index = order[start : start + 32]
            params, state = step(params, state, X[index].astype(np.float32), y[index].astype(np.float32))
    plain = forward(params, ((unseen.X - scale[0]) / scale[1]).astype(np.float32)) * scale[3] + scale[2]
    assert own <= 1.02 * np.mean((np.asarray(plain) - unseen.y) ** 2)


def test_equal_seeds_give_equal_files_and_others_do_not():
    asked, known = question("binary"), rows("binary", count=200)
    one = family("cnn1d")
    files = [one.fit(one.defaults(asked), asked, known, seed).content for seed in (3, 3, 4)]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_training_stops_where_held_out_rows_are_answered_no_better(monkeypatch):
    """Noise has nothing to learn: what is kept is from the first steps, and the last ones are never reached."""
    random = np.random.default_rng(0)
    asked, known = question(), rows(count=200)
    noise = Rows(known.X, random.normal(size=200), known.frame)
    steps = []
    whole = training._mean_loss
    monkeypatch.setattr(training, "_mean_loss", lambda *given: steps.append(whole(*given)) or steps[-1])
    fitted = family("mlp").fit(family("mlp").defaults(asked), asked, noise, 3)
    assert training._STOPPED < len(steps) < 60
    assert int(np.argmin(steps)) == len(steps) - 1 - training._STOPPED or min(steps) > 0.9 * np.var(noise.y)
    # The parameters kept are those of the least loss.
    learned, held = network._held_out(asked, noise, 3)
    scale = noise.y[learned].std()
    kept = np.mean((fitted.predict(noise)[held] - noise.y[held]) ** 2) / scale**2
    assert kept == pytest.approx(min(steps), rel=1e-4)
    del learned


def test_rows_that_stop_it_are_later_ones_and_the_embargo_lies_between():
    known = rows(count=200)
    learned, held = network._held_out(question(timed=True, embargo=9), known, 0)
    assert (learned[0], held[0] - learned[-1], held[-1]) == (0, 10, 199)
    assert len(held) == 30
    with pytest.raises(ValueError, match="embargo of 150 rows leaves 20 of 200"):
        network._held_out(question(timed=True, embargo=150), known, 0)
    learned, held = network._held_out(question(), known, 0)
    assert sorted([*learned, *held]) == list(range(200))
    assert 20 <= len(held) <= 31
    groups = Rows(known.X, known.y, known.frame.with_columns(of=pl.int_range(200) // 10))
    learned, held = network._held_out(question(group="of"), groups, 0)
    assert not {row // 10 for row in learned} & {row // 10 for row in held}
    assert len(held) == 30


def test_what_it_cannot_learn_from_is_said():
    known = rows()
    assert "[data] window" in family("lstm").refuses(question(window=1), known)
    assert family("mlp").refuses(question(window=1), known) is None
    holes = known.X.copy()
    holes[5, 1] = np.nan
    assert "missing" in family("gru").refuses(question(), Rows(holes, known.y, known.frame))
    assert "60" in family("gru").refuses(question(), known.between(0, 40))
    # A dense network is not among those that are tried unasked: it takes much longer than trees.
    short = Rows(known.X[:, :FEATURES], known.y, known.frame)
    _, reasons = suitable((), question(window=1), short)
    assert "[explore] families" in reasons["mlp"]
    assert "window" in reasons["bilstm"]
    found, _ = suitable(("mlp", "lstm"), question(), known)
    assert [one.name for one in found] == ["mlp", "lstm"]


def test_without_its_libraries_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(network, "find_spec", lambda name: None if name == "optax" else name)
    assert "assay[networks]" in family("lstm").refuses(question(), rows())


def test_only_training_imports_jax():
    code = (
        "import sys; from assay.models.families.registry import OWN, family\n"
        "[family(name) for name in OWN]; import assay.models.families.networks.network\n"
        "assert not {'jax', 'optax', 'onnx', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_in_the_space_and_make_a_network(name):
    one, asked = family(name), question()
    assert one.space(Bounds(one.defaults(asked)), asked) == one.defaults(asked)
    for seed in range(5):
        params = one.space(Random(seed), asked)
        made = one.architecture(params, asked)
        assert all(extent > 0 for shape in made.shapes().values() for extent in shape)
        assert Architecture.from_json(made.to_json()) == made


def test_a_damaged_file_is_named(tmp_path):
    asked, known = question("binary"), rows("binary", count=100)
    fitted = family("cnn1d").fit(family("cnn1d").defaults(asked), asked, known, 3)
    path = tmp_path / fitted.save(tmp_path)
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(CandidateDamaged, match=r"model\.onnx"):
        family("cnn1d").load(path, asked)


SIZES = [
    Architecture("mlp", 1, 30, 1, (16,)),
    Architecture("mlp", 5, 4, 3, (32, 32)),
    Architecture("cnn1d", 10, 2, 3, (4, 4), kernel=2),
    Architecture("cnn1d", 12, 3, 1, (8,), kernel=3),
    Architecture("gru", 5, 4, 1, (8,)),
    Architecture("lstm", 4, 4, 1, (6, 6)),
    Architecture("bilstm", 4, 4, 1, (6,)),
]


@pytest.mark.parametrize("one", SIZES, ids=lambda one: f"{one.kind}{one.widths}")
def test_the_size_by_its_shape_is_that_of_the_compiled_network(one):
    content = export(one, initial(one, 1), Scaling(np.zeros(one.features), np.ones(one.features)))
    rows = np.random.default_rng(0).normal(size=(200, one.window * one.features))
    circuit = transpile(onnx.load_from_string(content), calibration=rows)
    wanted, found = size_of_circuit(circuit), size_of(one, private=False)
    assert (found.features, found.outputs) == (wanted.features, wanted.outputs)
    if one.kind != "mlp":  # a narrow matrix with more rows may be as cheap as a wide one with fewer
        assert cost.block(found) == cost.block(wanted) or found.rows == pytest.approx(wanted.rows, rel=0.1)
    # The table is the format's, which depends on the rows too; all else is the shape's.
    same_table = found.model_copy(update={"table": wanted.table})
    assert cost.milliseconds(same_table) == pytest.approx(cost.milliseconds(wanted), rel=0.25)
    assert 0.25 <= found.table / wanted.table <= 4
    # The prior is the one that `transpile` tells.
    told = compiled.of_network(circuit.network)
    exact = compiled.predict(
        wanted.rows, cost.block(wanted), wanted.table, wanted.slots, wanted.columns, limbs=wanted.limbs, pairs=True
    )
    assert cost.milliseconds(wanted) == pytest.approx(exact.milliseconds)
    assert told.n == cost.block(wanted)


def test_a_calibration_without_networks_gives_the_prior_and_measured_ones_scale_it(calibration):
    size = size_of(SIZES[4], private=False)
    before = calibration.predict(size)
    assert before.prove_seconds == cost.prior(size)["prove_seconds"]
    point = calibration.points[0].model_copy(
        update={"size": size, "prove_seconds": 2 * before.prove_seconds, "gas": None}
    )
    said = calibration.model_dump(by_alias=True) | {"points": (*calibration.points, point)}
    after = Calibration.model_validate(said).predict(size)
    assert after.prove_seconds == pytest.approx(2 * before.prove_seconds)
    assert after.gas == before.gas


def test_its_circuit_says_what_it_says(tmp_path):
    """A small LSTM from `fit` to a circuit, with the names of the dataset, on rows that it has not seen."""
    asked, known = question("binary"), rows("binary")
    params = {"layers": 1, "units": 4, "rate": 5e-3, "decay": 0.1}
    fitted = family("lstm").fit(params, asked, known.between(0, 400), 3)
    path = tmp_path / fitted.save(tmp_path)
    circuit = transpile(path, calibration=known.X[:400], feature_names=asked.features)
    assert [feature.name for feature in circuit.features] == list(asked.features)
    report = fidelity(circuit, path, known.X[400:])
    assert report.ok, report
    assert circuit.predict(known.X[400:])[:, 0] == pytest.approx(fitted.margins(known.X[400:])[:, 0], abs=1e-2)
