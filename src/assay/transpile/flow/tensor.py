"""Tensors whose elements are ``scale * base + shift``, and the few operations that make new bases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import ZERO, Flow, Pending
from assay.transpile.flow.functions import IDENTITY, Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tensor:
    """Three arrays of one shape; a constant has base 0 and scale 1.

    Attributes
    ----------
    base
        int64.
    scale, shift
        float64.
    kind
        The NumPy type that the model gives it, empty where that is not known. The numbers are real ones in any case.
    """

    base: Integers
    scale: Floats
    shift: Floats
    kind: str = field(default="", kw_only=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each array."""
        return self.base.shape

    @property
    def constant(self) -> bool:
        """Whether no element depends on an input."""
        return not self.base.any()

    def moved(self, move: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> Tensor:
        """Elements elsewhere: what a shape operator does to one array, done to all."""
        base, scale, shift = (np.asarray(move(part), order="C") for part in (self.base, self.scale, self.shift))
        return Tensor(base, scale, shift, kind=self.kind)

    def scaled(self, factor: Floats | float, offset: Floats | float = 0.0) -> Tensor:
        """``factor * self + offset``, broadcast."""
        factor, offset = np.asarray(factor, dtype=np.float64), np.asarray(offset, dtype=np.float64)
        shape = np.broadcast_shapes(self.shape, factor.shape, offset.shape)
        wide = self.broadcast(shape)
        base = np.where(factor == 0, ZERO, wide.base)
        scale = np.where(base == ZERO, 1.0, wide.scale * factor)
        return Tensor(base, scale, wide.shift * factor + offset)

    def broadcast(self, shape: tuple[int, ...]) -> Tensor:
        """The same elements in a larger shape."""
        return self.moved(lambda part: np.broadcast_to(part, shape))


def constant(values: NDArray[np.generic]) -> Tensor:
    """A tensor of numbers."""
    numbers = np.asarray(values, dtype=np.float64)
    return Tensor(np.zeros(numbers.shape, dtype=np.int64), np.ones(numbers.shape), numbers.copy())


def of_bases(bases: NDArray[np.int64]) -> Tensor:
    """A tensor of bases as they are."""
    return Tensor(bases, np.ones(bases.shape), np.zeros(bases.shape))


def concatenate(tensors: Iterable[Tensor], axis: int) -> Tensor:
    """Tensors side by side."""
    parts = list(tensors)
    return Tensor(
        *(np.concatenate([getattr(part, name) for part in parts], axis) for name in ("base", "scale", "shift"))
    )


def stack(tensors: Iterable[Tensor], axis: int = 0) -> Tensor:
    """Tensors along a new axis."""
    parts = list(tensors)
    return Tensor(*(np.stack([getattr(part, name) for part in parts], axis) for name in ("base", "scale", "shift")))


def readable(flow: Flow, tensor: Tensor) -> Tensor:
    """The same elements over values: pending sums are given rows of their own."""
    return _each_base(flow, tensor, lambda base: flow.value(base, 1.0, 0.0))


def _each_base(flow: Flow, tensor: Tensor, make: Callable[[int], int]) -> Tensor:
    unique, inverse = np.unique(tensor.base, return_inverse=True)
    made = np.array([base if flow.is_value(base) else make(base) for base in unique.tolist()], dtype=np.int64)
    return Tensor(made[inverse.reshape(-1)].reshape(tensor.shape), tensor.scale, tensor.shift)


def plain(flow: Flow, tensor: Tensor) -> Tensor:
    """Elements as values of their own, with scale 1 and shift 0."""
    return apply(flow, tensor, IDENTITY)


def comparable(flow: Flow, tensor: Tensor) -> Tensor:
    """Elements as values whose largest is one of them to the last digit: no bias of its own is rounded twice."""
    uneven = np.unique(tensor.scale).size > 1 or np.unique(tensor.shift).size > 1
    return plain(flow, tensor) if uneven else readable(flow, tensor)


def apply(flow: Flow, tensor: Tensor, function: Function) -> Tensor:
    """A function of each element."""
    if tensor.constant:
        return constant(function(tensor.shift))
    bases = np.zeros(tensor.base.size, dtype=np.int64)
    shifts = np.zeros(tensor.base.size)
    flat = (part.ravel().tolist() for part in (tensor.base, tensor.scale, tensor.shift))
    for place, (base, scale, shift) in enumerate(zip(*flat, strict=True)):
        if base == ZERO:
            shifts[place] = float(function(np.array([shift]))[0])
        elif function == IDENTITY and scale == 1.0 and shift == 0.0 and flow.is_value(base):
            bases[place] = base
        else:
            bases[place] = flow.apply(base, scale, shift, function)
    return Tensor(bases.reshape(tensor.shape), np.ones(tensor.shape), shifts.reshape(tensor.shape))


def linear(
    flow: Flow,
    windows: Tensor,
    weights: Floats,
    bias: Floats | None = None,
    places: list[tuple[int, ...]] | None = None,
) -> Tensor:
    """``windows @ weights + bias``: an affine call for each row of windows, that share their matrix where they can.

    Parameters
    ----------
    windows
        [P, k]; elements of base 0 and shift 0 stand for padding, and keep their weight.
    weights, bias
        float64[k, m], float64[m].
    places
        Where in the layer's grid each of the P calls is.
    """
    bias = np.zeros(weights.shape[1]) if bias is None else bias
    if windows.constant:
        return constant(windows.shift @ weights + bias)
    wide = readable(flow, windows)
    scales = _scales_of_padding(wide)
    results = np.zeros((wide.shape[0], weights.shape[1]), dtype=np.int64)
    shared: dict[bytes, Floats] = {}
    for position, (reads, scale, shift) in enumerate(zip(wide.base, scales, wide.shift, strict=True)):
        scaled = shared.setdefault(scale.tobytes(), weights * scale[:, np.newaxis])
        offset = bias + shift @ weights if shift.any() else bias
        place = places[position] if places is not None else (position,)
        results[position] = flow.call(reads, scaled, offset, place)
    return of_bases(results)


def _scales_of_padding(windows: Tensor) -> Floats:
    """Scales with those of padding taken from the same column of other windows, so that matrices stay one."""
    scales = windows.scale.copy()
    padding = windows.base == ZERO
    if padding.any():
        for column in range(scales.shape[1]):
            real = scales[~padding[:, column], column]
            scales[padding[:, column], column] = real[0] if real.size else 1.0
    return scales


def add(flow: Flow, left: Tensor, right: Tensor) -> Tensor:
    """The sum, broadcast."""
    if left.constant:
        return right.scaled(1.0, left.shift)
    if right.constant:
        return left.scaled(1.0, right.shift)
    shape = np.broadcast_shapes(left.shape, right.shape)
    one, two = left.broadcast(shape), right.broadcast(shape)
    if not one.base.size:
        return one
    return _Sum(flow, one, two).result()


def subtract(flow: Flow, left: Tensor, right: Tensor) -> Tensor:
    """The difference, broadcast."""
    return add(flow, left, right.scaled(-1.0))


class _Sum:
    """Element by element: columns of two calls become one call, products join in one row, values join as reads."""

    def __init__(self, flow: Flow, left: Tensor, right: Tensor) -> None:
        self.flow, self.left, self.right = flow, left, right
        self.base = np.zeros(left.base.size, dtype=np.int64)
        self.scale = np.ones(left.base.size)
        self.shift = (left.shift + right.shift).ravel()

    def result(self) -> Tensor:
        flow, shape = self.flow, self.left.shape
        groups: dict[tuple[int, int], list[tuple[int, float, float, int, int]]] = {}
        flat = (part.ravel().tolist() for part in (self.left.base, self.left.scale, self.right.base, self.right.scale))
        for place, (a, p, b, q) in enumerate(zip(*flat, strict=True)):
            if ZERO in {a, b} or a == b:
                self.base[place], self.scale[place] = (a, p + q) if a == b else (b, q) if a == ZERO else (a, p)
                if self.scale[place] == 0 or self.base[place] == ZERO:
                    self.base[place], self.scale[place] = ZERO, 1.0
                continue
            joined = self._product(a, p, b, q)
            if joined is not None:
                self.base[place], self.scale[place] = joined
                continue
            one, two = self._linear(a), self._linear(b)
            groups.setdefault((self._call(one), self._call(two)), []).append((place, p, q, one, two))
        for members in groups.values():
            self._join(members)
        del flow
        return Tensor(self.base.reshape(shape), self.scale.reshape(shape), self.shift.reshape(shape))

    def _call(self, base: int) -> int:
        found = self.flow.bases[base]
        return found.call if isinstance(found, Pending) else -1

    def _linear(self, base: int) -> int:
        """A base that is a value or a column of a call."""
        found = self.flow.bases[base]
        return self.flow.value(base, 1.0, 0.0) if isinstance(found, Pending) and found.pairs else base

    def _product(self, a: int, p: float, b: int, q: float) -> tuple[int, float] | None:
        """A sum that one row can hold: two products, or a product and a column of a call."""
        first, second = self.flow.bases[a], self.flow.bases[b]
        if not (isinstance(first, Pending) and isinstance(second, Pending)):
            return None
        if not first.pairs:
            first, p, second, q = second, q, first, p
        if not first.pairs or first.call >= 0:
            return None
        if second.pairs:
            equal = p * first.coefficient == q * second.coefficient and len(first.pairs) + len(second.pairs) <= 2
            if not equal or second.call >= 0:
                return None
            shift = first.shift * p + second.shift * q
            return self.flow.add(
                Pending(shift=shift, pairs=first.pairs + second.pairs, coefficient=p * first.coefficient)
            ), 1.0
        fused = Pending(
            second.call,
            second.column,
            q * second.scale,
            second.shift * q + first.shift * p,
            first.pairs,
            p * first.coefficient,
        )
        return self.flow.add(fused), 1.0

    def _join(self, members: list[tuple[int, float, float, int, int]]) -> None:
        """One call for elements whose terms come from the same two calls (or are values)."""
        limit = (
            len(members)
            if min(self._call(members[0][3]), self._call(members[0][4])) >= 0
            or max(self._call(members[0][3]), self._call(members[0][4])) >= 0
            else 1
        )
        for start in range(0, len(members), limit):
            part = members[start : start + limit]
            left = self._terms([(a, p) for _, p, _, a, _ in part])
            right = self._terms([(b, q) for _, _, q, _, b in part])
            if np.array_equal(left[0], right[0]):
                reads, weights = left[0], left[1] + right[1]
            else:
                reads, weights = np.concatenate([left[0], right[0]]), np.concatenate([left[1], right[1]])
            place = self._place(part[0])
            columns = self.flow.call(reads, weights, left[2] + right[2], place)
            for (index, *_), column in zip(part, columns, strict=True):
                self.base[index] = column

    def _place(self, member: tuple[int, float, float, int, int]) -> tuple[int, ...]:
        for base in member[3:]:
            if self._call(base) >= 0:
                return self.flow.calls[self._call(base)].place
        return (member[0],)

    def _terms(self, bases: list[tuple[int, float]]) -> tuple[Integers, Floats, Floats]:
        """Reads int64[k], weights [k, m] and bias [m] of elements of one call, or of values."""
        number = self._call(bases[0][0])
        factors = np.array([factor for _, factor in bases])
        if number < 0:
            return np.array([base for base, _ in bases], dtype=np.int64), np.diag(factors), np.zeros(len(bases))
        call = self.flow.calls[number]
        pendings = [self.flow.bases[base] for base, _ in bases]
        columns = [pending.column for pending in pendings if isinstance(pending, Pending)]
        own = np.array([pending.scale for pending in pendings if isinstance(pending, Pending)]) * factors
        shifts = np.array([pending.shift for pending in pendings if isinstance(pending, Pending)]) * factors
        return call.reads, call.matrix.weights[:, columns] * own, call.matrix.bias[columns] * own + shifts


def multiply(flow: Flow, left: Tensor, right: Tensor) -> Tensor:
    """The product, broadcast; that of two activations takes a row for each element."""
    if left.constant:
        return right.scaled(left.shift)
    if right.constant:
        return left.scaled(right.shift)
    shape = np.broadcast_shapes(left.shape, right.shape)
    one, two = operands(flow, left.broadcast(shape)), operands(flow, right.broadcast(shape))
    bases = np.zeros(one.base.size, dtype=np.int64)
    scales, shifts = np.ones(one.base.size), np.zeros(one.base.size)
    flat = (part.ravel().tolist() for part in (one.base, one.scale, one.shift, two.base, two.scale, two.shift))
    for place, (a, p, s, b, q, t) in enumerate(zip(*flat, strict=True)):
        if ZERO in {a, b}:
            bases[place], scales[place], shifts[place] = (b, s * q, s * t) if a == ZERO else (a, p * t, s * t)
            if scales[place] == 0 or bases[place] == ZERO:
                bases[place], scales[place] = ZERO, 1.0
        else:
            pair = (min(a, b), max(a, b))
            bases[place], scales[place] = flow.add(Pending(pairs=(pair,), coefficient=1.0)), p * q
    return Tensor(bases.reshape(shape), scales.reshape(shape), shifts.reshape(shape))


def operands(flow: Flow, tensor: Tensor) -> Tensor:
    """Elements as scaled values without a shift, which a product can read; constants stay as they are."""
    wide = tensor
    shifted = (wide.shift != 0) & (wide.base != ZERO)
    if shifted.any():
        made = plain(flow, Tensor(wide.base[shifted], wide.scale[shifted], wide.shift[shifted]))
        base, scale, shift = wide.base.copy(), wide.scale.copy(), wide.shift.copy()
        base[shifted], scale[shifted], shift[shifted] = made.base, made.scale, made.shift
        wide = Tensor(base, scale, shift)
    return readable(flow, wide)


def total(flow: Flow, tensor: Tensor, factor: float = 1.0) -> Tensor:
    """``factor`` times the sum over the last axis."""
    rows = tensor.moved(lambda part: part.reshape(-1, part.shape[-1]))
    result = linear(flow, rows, np.full((tensor.shape[-1], 1), factor))
    return result.moved(lambda part: part.reshape(tensor.shape[:-1]))


def largest(flow: Flow, tensor: Tensor) -> Tensor:
    """The largest along the last axis; elements of minus infinity are left out."""
    from assay.transpile.flow.flow import Largest

    shape = tensor.shape[:-1]
    results = []
    rows = tensor.moved(lambda part: part.reshape(-1, part.shape[-1]))
    for base, scale, shift in zip(rows.base, rows.scale, rows.shift, strict=True):
        kept = ~((base == ZERO) & np.isneginf(shift))
        window = Tensor(base[kept], scale[kept], shift[kept])
        same = len(set(window.scale.tolist())) == 1 and len(set(window.shift.tolist())) == 1 and window.base.all()
        outer = (1.0, 0.0)
        if same and window.scale[0] > 0:
            outer = float(window.scale[0]), float(window.shift[0])
            found = readable(flow, window).base.tolist()
        elif window.constant:
            results.append((ZERO, 1.0, float(window.shift.max(initial=-np.inf))))
            continue
        else:
            found = cells(flow, window).base.tolist()
        best = found[0]
        for other in found[1:]:
            best = best if other == best else flow.add(Largest(best, other))
        results.append((best, *outer))
    parts = [np.array(part).reshape(shape) for part in zip(*results, strict=True)]
    return Tensor(parts[0].astype(np.int64), parts[1].astype(np.float64), parts[2].astype(np.float64))


def cells(flow: Flow, tensor: Tensor) -> Tensor:
    """Elements as values of their own, constants too."""
    made = plain(flow, tensor)
    base = made.base.copy()
    for place in zip(*np.nonzero(base == ZERO), strict=True):
        base[place] = flow.apply(ZERO, 1.0, float(made.shift[place]), IDENTITY)
    return of_bases(base)
