"""The same network by the usual recipe of JAX and optax, written down here, against the training of `assay explore`.

The recipe: weights as Flax begins them, inputs and target standardised, Adam at 1e-3 on batches of 32 in random order,
the last 15 % of the rows held out, and the parameters kept that these were answered best with, until ten epochs bring
nothing better.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]  # it has no stubs

from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.families.networks.architecture import GATES, Architecture
from assay.models.families.networks.training import network_of
from assay.models.families.registry import family
from assay.models.rows import Rows, rows_of
from benchmarks.sequences.page import MOST_WORSE

RATE, BATCH, HELD, PATIENCE, EPOCHS = 1e-3, 32, 0.15, 10, 200
SEEDS = 5
CONFIDENCE = 0.9


def compared(dataset: Dataset, name: str, best: Candidate) -> dict[str, Any]:
    """Root mean squared errors on the test rows, of both trainings of one network from several seeds."""
    kind, problem, params = family(name), best.problem, best.summary.params
    train, test = rows_of(dataset, "train"), rows_of(dataset, "test")
    losses: dict[str, list[float]] = {"own": [], "usual": []}
    seconds = dict.fromkeys(losses, 0.0)
    for seed in range(SEEDS):
        start = time.perf_counter()
        found = kind.fit(params, problem, train, seed).predict(test)
        seconds["own"] += time.perf_counter() - start
        losses["own"].append(_rmse(found, test))
        start = time.perf_counter()
        found = usual(best.fitted.architecture, train, test, seed)  # type: ignore[attr-defined]  # networks have one
        seconds["usual"] += time.perf_counter() - start
        losses["usual"].append(_rmse(found, test))
    worse, half = _ratio(losses["own"], losses["usual"])
    return {
        **losses,
        "seconds": {which: total / SEEDS for which, total in seconds.items()},
        "worse": worse,
        "low": worse - half,
        "high": worse + half,
        "confidence": CONFIDENCE,
        "within": worse <= MOST_WORSE,
    }


def usual(architecture: Architecture, train: Rows, test: Rows, seed: int) -> np.ndarray:
    """Answers to the test rows by a network that has learned by the recipe: float64 (rows,)."""
    import jax
    import optax

    one, network = architecture, network_of(architecture)
    count = len(train) - round(HELD * len(train))
    X, y = _windows(one, train), train.y
    shift, scale = X[:count, -1].mean(axis=0), X[:count, -1].std(axis=0)
    centre, spread = y[:count].mean(), y[:count].std()
    X, y = ((X - shift) / scale).astype(np.float32), ((y - centre) / spread).astype(np.float32)
    adam = optax.adam(RATE)

    def loss(params: Any, X: Any, y: Any) -> Any:
        return ((network(params, X)[:, 0] - y) ** 2).mean()

    def step(carry: Any, batch: Any) -> Any:
        params, state = carry
        moved, state = adam.update(jax.grad(loss)(params, *batch), state)
        return (optax.apply_updates(params, moved), state), None

    epoch, held = jax.jit(lambda carry, batches: jax.lax.scan(step, carry, batches)[0]), jax.jit(loss)
    random = np.random.default_rng(seed)
    params: Any = _beginning(one, random)
    state = adam.init(params)
    best, least, waited = params, np.inf, 0
    for _ in range(EPOCHS):
        order = random.permutation(count)[: count // BATCH * BATCH].reshape(-1, BATCH)
        params, state = epoch((params, state), (X[order], y[order]))
        found = float(held(params, X[count:], y[count:]))
        best, least, waited = (params, found, 0) if found < least else (best, least, waited + 1)
        if waited == PATIENCE:
            break
    answers = jax.jit(network)(best, ((_windows(one, test) - shift) / scale).astype(np.float32))
    return np.asarray(np.asarray(answers, dtype=np.float64)[:, 0] * spread + centre)


def _windows(one: Architecture, rows: Rows) -> np.ndarray:
    return rows.X.reshape(len(rows), one.window, one.features).astype(np.float64)


def _beginning(one: Architecture, random: np.random.Generator) -> dict[str, np.ndarray]:
    """LeCun's normal numbers for what reads inputs, orthogonal recurrent matrices, biases of 0."""
    found = {}
    for name, shape in one.shapes().items():
        part = name.partition(".")[2]
        if part == "weight":
            value = random.normal(size=shape) / np.sqrt(shape[-1])
        elif part == "recurrent":
            ways, rows, width = shape
            blocks = [np.linalg.qr(random.normal(size=(width, width)))[0] for _ in range(ways * GATES[one.kind])]
            value = np.concatenate(blocks).reshape(ways, rows, width)
        else:
            value = np.zeros(shape)
        found[name] = value.astype(np.float32)
    return found


def _rmse(found: np.ndarray, rows: Rows) -> float:
    return float(np.sqrt(np.mean((found - rows.y) ** 2)))


def _ratio(own: list[float], usual: list[float]) -> tuple[float, float]:
    """By which share the mean of the first is larger, and half of its interval, by Student's t of both means."""
    means = [float(np.mean(part)) for part in (own, usual)]
    errors = [float(np.std(part, ddof=1)) / np.sqrt(len(part)) for part in (own, usual)]
    ratio = means[0] / means[1]
    spread = ratio * np.hypot(errors[0] / means[0], errors[1] / means[1])
    return ratio - 1, float(stdtrit(len(own) - 1, (1 + CONFIDENCE) / 2) * spread)
