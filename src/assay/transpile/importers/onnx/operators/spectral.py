"""DFT and STFT: matrices of cosines and sines, on frames of the signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.tensor import Tensor, concatenate, constant, linear
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

_SIZES = "lengths that are not constant"


def _matrix(length: int, parts: int, *, onesided: bool, inverse: bool) -> NDArray[np.float64]:
    """[length * parts, frequencies * 2]: real and imaginary parts of a signal to those of its frequencies."""
    frequencies = length // 2 + 1 if onesided else length
    turns = np.outer(np.arange(length), np.arange(frequencies)) % length / length
    waves = np.exp((2j if inverse else -2j) * np.pi * turns) / (length if inverse else 1)
    rows = [np.stack([waves.real, waves.imag], -1), np.stack([-waves.imag, waves.real], -1)][:parts]
    return np.ascontiguousarray(np.stack(rows, 1).reshape(length * parts, frequencies * 2))


@operator("DFT", rows="a linear call a signal", limits=_SIZES)
def dft(node: Node) -> Tensor:
    """Along an axis, of real or complex signals; cut or filled with zeros to a length."""
    tensor = node.tensor(0)
    rank, parts = len(tensor.shape), tensor.shape[-1]
    axis = node.integers(2)[0] if node.has(2) else int(node.attribute("axis", 1 if node.version < 20 else -2))
    axis = node.axis(axis, rank)
    onesided, inverse = bool(node.attribute("onesided", 0)), bool(node.attribute("inverse", 0))
    if axis == rank - 1 or parts not in {1, 2} or (onesided and (inverse or parts == 2)):
        raise node.refuse(f"it is of axis {axis} of {list(tensor.shape)}, onesided {onesided}, inverse {inverse}")
    length = node.integers(1)[0] if node.has(1) else tensor.shape[axis]
    node.fits((length, length))
    signal = tensor.moved(lambda part: np.moveaxis(part, axis, -2))
    signal = signal.moved(lambda part: part[..., :length, :])
    short = length - signal.shape[-2]
    if short > 0:
        signal = concatenate([signal, constant(np.zeros((*signal.shape[:-2], short, parts)))], -2)
    return _transformed(node, signal, onesided=onesided, inverse=inverse).moved(
        lambda part: np.moveaxis(part, -2, axis)
    )


def _transformed(node: Node, signal: Tensor, *, onesided: bool, inverse: bool = False) -> Tensor:
    """[..., length, parts] to [..., frequencies, 2]."""
    *outer, length, parts = signal.shape
    matrix = _matrix(length, parts, onesided=onesided, inverse=inverse)
    rows = signal.moved(lambda part: part.reshape(-1, length * parts))
    return linear(node.flow, rows, matrix).moved(lambda part: part.reshape(*outer, -1, 2))


@operator("STFT", rows="a linear call a frame", limits=f"{_SIZES}, a window that is not")
def stft(node: Node) -> Tensor:
    """Frames of a signal, times a window, and their frequencies."""
    signal = node.tensor(0)
    if len(signal.shape) == 2:
        signal = signal.moved(lambda part: part[..., np.newaxis])
    step = node.integers(1)[0]
    window = np.asarray(node.constant(2), dtype=np.float64) if node.has(2) else None
    length = node.integers(3)[0] if node.has(3) else len(window) if window is not None else 0
    count = (signal.shape[1] - length) // step + 1 if step > 0 and length > 0 else 0
    if count < 1 or (window is not None and window.shape != (length,)):
        raise node.malformed(f"frames of {length} by {step} of a signal of {signal.shape[1]}")
    places = np.arange(count)[:, np.newaxis] * step + np.arange(length)
    node.fits((signal.shape[0], *places.shape, signal.shape[2]))
    frames = signal.moved(lambda part: part[:, places])
    frames = frames if window is None else frames.scaled(window[:, np.newaxis])
    return _transformed(node, frames, onesided=bool(node.attribute("onesided", 1)) and signal.shape[2] == 1)
