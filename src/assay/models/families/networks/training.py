"""Training of networks: JAX and optax, on one thread of the CPU. No other file imports them.

Adam with decoupled weight decay on batches in random order, gradients clipped, the step halved where the held-out
loss stands still, and stopped where it goes on standing still: the parameters that it was least with are kept.
Equal arguments give equal parameters.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.models.families.networks.architecture import GATES, Architecture, Parameters, initial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.models.rows import Kind

    Floats = NDArray[np.float32]

_SMALLEST_BATCH, _LARGEST_BATCH = 32, 256
_BATCHES = 100
"""Of the rows, where that is between the two."""
CHUNK = 25
"""Steps that are compiled as one."""
_MOST_CHUNKS = 8  # before the held-out rows are asked again
_MOST_STEPS = 12_000
_EVALUATED = 256
_HALVED, _STOPPED = 8, 24  # times that the held-out loss is not better
_BETTER = 1e-3
_NORM = 1.0


@dataclass(frozen=True)
class Recipe:
    """What the search chooses of a training: the step of Adam, and the decay of weights."""

    rate: float
    decay: float


@dataclass(frozen=True)
class Sample:
    """Rows, float32 (rows, window, features), and targets, float32 (rows,): scaled ones, or numbers of classes.

    Rows lose `mean` and are divided by `deviation`, each (features,), when they are taken: all of them at once may be
    a view, and their windows may share numbers.
    """

    X: Floats
    y: Floats
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def take(self, index: Any) -> tuple[Floats, Floats]:
        """Scaled rows of these numbers, and their targets."""
        return ((self.X[index] - self.mean) / self.deviation).astype(np.float32), self.y[index]


def train(
    architecture: Architecture, kind: Kind, recipe: Recipe, *, learned: Sample, held: Sample, seed: int
) -> Parameters:
    """Train on `learned` until the loss on `held` is no longer less.

    The loss is the mean squared error of values, and the cross-entropy of classes.
    """
    steps, loss = _compiled(architecture, kind)
    random = np.random.default_rng([seed, 1])
    params: Any = initial(architecture, seed)
    state = _optimiser().init(params)
    best, least, rate, waited = params, np.inf, recipe.rate, 0
    batch = _batch(len(learned.y))
    chunks = int(np.clip(len(learned.y) // (batch * CHUNK), 1, _MOST_CHUNKS))
    batches = _batches(random, len(learned.y), batch)
    for _ in range(_MOST_STEPS // (chunks * CHUNK)):
        for _ in range(chunks):
            params, state = steps(params, state, learned.take(next(batches)), (rate, recipe.decay))
        found = _mean_loss(loss, params, held)
        waited = 0 if found < least * (1 - _BETTER) else waited + 1
        if found < least:
            best, least = params, found
        if waited == _STOPPED:
            break
        if waited and waited % _HALVED == 0:
            rate /= 2
    return {name: np.asarray(value) for name, value in best.items()}


def forward(architecture: Architecture, params: Parameters, X: Floats) -> Floats:
    """Outputs of scaled rows, (rows, outputs): what `train` trains."""
    return np.asarray(_forward(architecture)(params, X))


def _batch(rows: int) -> int:
    """Rows of a batch: small ones where there are few rows, a power of two."""
    return int(np.clip(1 << max(rows // _BATCHES, 1).bit_length(), _SMALLEST_BATCH, _LARGEST_BATCH))


def _batches(random: np.random.Generator, rows: int, batch: int) -> Any:
    """Row numbers of shape (CHUNK, batch), each row once before any comes again."""
    wanted = CHUNK * batch
    left = np.zeros(0, dtype=np.int64)
    while True:
        while len(left) < wanted:
            left = np.concatenate([left, random.permutation(rows)])
        yield left[:wanted].reshape(CHUNK, batch)
        left = left[wanted:]


def _mean_loss(loss: Any, params: Parameters, rows: Sample) -> float:
    total = 0.0
    for start in range(0, len(rows.y), _EVALUATED):
        X, y = rows.take(slice(start, start + _EVALUATED))
        lacking = _EVALUATED - len(y)
        if lacking:  # one shape, one compilation
            X, y = (np.concatenate([part, np.zeros((lacking, *part.shape[1:]), np.float32)]) for part in (X, y))
        total += float(loss(params, X, y)[: _EVALUATED - lacking].sum())
    return total / len(rows.y)


def _jax() -> Any:
    # Trials run side by side, one thread each; set before the library starts.
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1".strip()
    import jax

    return jax


def _optimiser() -> Any:
    import optax

    return optax.chain(optax.clip_by_global_norm(_NORM), optax.scale_by_adam())


@lru_cache(maxsize=64)
def _forward(architecture: Architecture) -> Any:
    return _jax().jit(network_of(architecture))


@lru_cache(maxsize=64)
def _compiled(architecture: Architecture, kind: Kind) -> tuple[Any, Any]:
    """Steps on `CHUNK` batches, and the losses of rows."""
    jax = _jax()
    network, optimiser = network_of(architecture), _optimiser()

    def losses(params: Any, X: Any, y: Any) -> Any:
        return _losses(kind, network(params, X), y)

    def step(rates: Any, carry: Any, batch: Any) -> Any:
        (params, state), (rate, decay) = carry, rates
        gradient = jax.grad(lambda own: losses(own, *batch).mean())(params)
        moved, state = optimiser.update(gradient, state, params)
        # Biases are not decayed.
        params = jax.tree.map(lambda p, d: p - rate * (d + (decay * p if p.ndim > 1 else 0.0)), params, moved)
        return (params, state), None

    def steps(params: Any, state: Any, batches: Any, rates: Any) -> Any:
        return jax.lax.scan(lambda carry, batch: step(rates, carry, batch), (params, state), batches)[0]

    return jax.jit(steps), jax.jit(losses)


def _losses(kind: Kind, outputs: Any, y: Any) -> Any:
    import optax

    if kind == "regression":
        return (outputs[:, 0] - y) ** 2
    if kind == "binary":
        return optax.sigmoid_binary_cross_entropy(outputs[:, 0], y)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, y.astype("int32"))


def network_of(architecture: Architecture) -> Any:
    """The function of parameters and rows that is trained; `assay.models.families.networks.export` writes the same."""
    jax = _jax()
    one = architecture

    def network(params: Any, X: Any) -> Any:
        h = X
        if one.kind == "mlp":
            h = h.reshape(len(h), -1)
            for layer in range(len(one.widths)):
                h = jax.nn.relu(h @ params[f"{layer}.weight"].T + params[f"{layer}.bias"])
        elif one.kind == "cnn1d":
            h = h.swapaxes(1, 2)
            for layer in range(len(one.widths)):
                h = jax.lax.conv(h, params[f"{layer}.weight"], (1,), "VALID") + params[f"{layer}.bias"][:, None]
                h = jax.nn.relu(h)
            h = h.reshape(len(h), -1)
        else:
            for layer in range(len(one.widths)):
                h, last = _recurrent(one, params, layer, h)
            h = last
        return h @ params["output.weight"].T + params["output.bias"]

    return network


def _recurrent(architecture: Architecture, params: Any, layer: int, X: Any) -> tuple[Any, Any]:
    """All states (rows, window, units) and the last ones (rows, units) of one layer, its directions side by side."""
    jax = _jax()
    step = _gru if architecture.kind == "gru" else _lstm
    every, last = [], []
    for way in range(architecture.directions):
        own = {name: params[f"{layer}.{name}"][way] for name in ("weight", "recurrent", "bias")}
        if architecture.kind == "gru":
            own["inner"] = params[f"{layer}.inner"][way]
        sums = X @ own["weight"].T + own["bias"]
        width = sums.shape[-1] // GATES[architecture.kind]
        start = jax.numpy.zeros((len(X), width))
        _, states = jax.lax.scan(
            lambda carry, now, own=own: step(own, carry, now), (start, start), sums.swapaxes(0, 1), reverse=bool(way)
        )
        every.append(states.swapaxes(0, 1))
        last.append(states[0] if way else states[-1])
    return jax.numpy.concatenate(every, axis=2), jax.numpy.concatenate(last, axis=1)


def _lstm(own: Any, carry: Any, sums: Any) -> Any:
    jax = _jax()
    h, c = carry
    i, o, f, g = jax.numpy.split(sums + h @ own["recurrent"].T, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
    h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
    return (h, c), h


def _gru(own: Any, carry: Any, sums: Any) -> Any:
    jax = _jax()
    h, unused = carry
    z, r, n = jax.numpy.split(sums, 3, axis=1)
    hz, hr, hn = jax.numpy.split(h @ own["recurrent"].T, 3, axis=1)
    z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
    h = z * h + (1 - z) * jax.numpy.tanh(n + r * (hn + own["inner"]))
    return (h, unused), h
