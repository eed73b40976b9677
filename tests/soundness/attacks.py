"""Every way to change the bytes of a valid proof or of its statement: a list for every verifier.

Pure: it knows how a proof is cut into words, and no verifier. Each attack differs from the proof that it is made
from, so each must be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
TOP = 1 << 256
WORD = 32
G1 = (1, 2)
# 2 G1, of EIP-196.
G1_TWICE = (
    1368015179489954701390400359078579693043519447331113978918064868415326638035,
    9918110051302171585080402603319702774565515993150576347155970296011118125764,
)
OFF_CURVE = (1, 3)

Attack = tuple[str, bytes, tuple[int, ...]]


@dataclass(frozen=True)
class Target:
    """A valid proof and how it is cut: `points` points, `evaluations` scalars, then two points more (W, W').

    `words` are the public words: `rows * features` inputs of `bits` bits (private: two words of a commitment), then
    `rows * outputs` outputs, then the context.
    """

    rows: int
    features: int
    outputs: int
    private: bool
    bits: int
    words: tuple[int, ...]
    body: bytes
    points: int
    evaluations: int

    @property
    def point_starts(self) -> list[int]:
        """Word numbers at which points begin."""
        after = 2 * self.points + self.evaluations
        return [*range(0, 2 * self.points, 2), after, after + 2]

    @property
    def scalars(self) -> range:
        """Word numbers of the evaluations."""
        return range(2 * self.points, 2 * self.points + self.evaluations)

    @property
    def first_output(self) -> int:
        return 2 if self.private else self.rows * self.features


def attacks(target: Target) -> Iterator[Attack]:
    """Name, body and public words of each; none is the target itself, and no word is 2^256 or more."""
    body = body_words(target)
    for name, changed in [*_on_scalars(target, body), *_on_points(target, body), *_on_any_word(body)]:
        if changed != body:
            yield name, join(changed), target.words
    for name, data in _on_length(target.body):
        yield name, data, target.words
    for name, words in [*_on_inputs(target), *_on_outputs(target), *_on_statement(target)]:
        if words != target.words:
            yield name, target.body, words


def body_words(target: Target) -> list[int]:
    return [int.from_bytes(target.body[i : i + WORD], "big") for i in range(0, len(target.body), WORD)]


def join(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(WORD, "big") for word in words)


def _replaced(body: list[int], at: int, *values: int) -> list[int]:
    return [*body[:at], *values, *body[at + len(values) :]]


def _on_any_word(body: list[int]) -> Iterator[tuple[str, list[int]]]:
    for i, value in enumerate(body):
        changes = {
            "+ 1": (value + 1) % TOP,
            "- 1": (value - 1) % TOP,
            "= 0": 0,
            "= r": R,
            "= p": P,
            "= 2^256 - 1": TOP - 1,
            "xor 2^255": value ^ 1 << 255,
            "last bit": value ^ 1,
        }
        for name, changed in changes.items():
            yield f"word {i} {name}", _replaced(body, i, changed)
        other = (i + 1) % len(body)
        swapped = _replaced(_replaced(body, i, body[other]), other, value)
        yield f"words {i} and {other} swapped", swapped


def _on_scalars(target: Target, body: list[int]) -> Iterator[tuple[str, list[int]]]:
    """Other encodings of the same value, and other values."""
    for i in target.scalars:
        for times in range(1, 6):
            if body[i] + times * R < TOP:
                yield f"evaluation {i} + {times} r", _replaced(body, i, body[i] + times * R)
        yield f"evaluation {i} negated", _replaced(body, i, R - body[i])
        yield f"evaluation {i} doubled", _replaced(body, i, 2 * body[i] % R)
    first, count = target.scalars.start, len(target.scalars)
    yield "evaluations rotated", _replaced(body, first, *body[first + 1 : first + count], body[first])
    yield "evaluations all zero", _replaced(body, first, *[0] * count)


def _on_points(target: Target, body: list[int]) -> Iterator[tuple[str, list[int]]]:
    starts = target.point_starts
    for i, other in zip(starts, [*starts[1:], starts[0]], strict=True):
        x, y = body[i : i + 2]
        changes = {
            "negated": (x, P - y),
            "= (0, 0)": (0, 0),
            "= the generator": G1,
            "= twice the generator": G1_TWICE,
            "= the next point": (body[other], body[other + 1]),
            "off the curve": OFF_CURVE,
            "with coordinates swapped": (y, x),
            # x on the curve with another y: the curve has no other points with this x.
            "with y = 0": (x, 0),
        }
        for multiple in range(1, 6):
            if x + multiple * P < TOP:
                changes[f"x + {multiple} p"] = (x + multiple * P, y)
            if y + multiple * P < TOP:
                changes[f"y + {multiple} p"] = (x, y + multiple * P)
        for name, point in changes.items():
            yield f"point {i} {name}", _replaced(body, i, *point)
        both = _replaced(_replaced(body, i, body[other], body[other + 1]), other, x, y)
        yield f"points {i} and {other} swapped", both
    for name, point in {"(0, 0)": (0, 0), "the generator": G1}.items():
        every, opening = body, body
        for i in starts:
            every = _replaced(every, i, *point)
        for i in starts[-2:]:
            opening = _replaced(opening, i, *point)
        yield f"all points {name}", every
        yield f"W and W' {name}", opening
        zeros = _replaced(every, target.scalars.start, *[0] * len(target.scalars))
        yield f"all points {name}, all evaluations zero", zeros


def _on_length(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    for cut in (1, 31, WORD, 2 * WORD, len(body) // 2, len(body) - 1):
        yield f"without the last {cut} bytes", body[:-cut]
        yield f"without the first {cut} bytes", body[cut:]
    for extra in (1, WORD, 2 * WORD, len(body)):
        yield f"{extra} zero bytes more", body + bytes(extra)
        yield f"{extra} zero bytes before", bytes(extra) + body
    yield "twice", body + body
    yield "shifted by a byte", body[1:] + body[:1]
    yield "last word twice", body + body[-WORD:]


def _on_inputs(target: Target) -> Iterator[tuple[str, tuple[int, ...]]]:
    words = target.words
    for i in range(target.first_output):
        value = words[i]
        changes = {
            "+ 1": value + 1,
            "- 1": (value - 1) % TOP,
            "= 0": 0,
            "missing": 1 << target.bits,
            "= 2^bits - 1": (1 << target.bits) - 1,
            "+ 2^bits": value + (1 << target.bits),
            "+ r": (value + R) % TOP,
            "+ p": (value + P) % TOP,
            "+ 2^255": value ^ 1 << 255,
            "= 2^256 - 1": TOP - 1,
        }
        for name, changed in changes.items():
            yield f"input {i} {name}", (*words[:i], changed % TOP, *words[i + 1 :])
    if target.private:
        x, y = words[:2]
        for name, point in {
            "negated": (x, P - y),
            "(0, 0)": (0, 0),
            "generator": G1,
            "swapped": (y, x),
            "off the curve": OFF_CURVE,
        }.items():
            yield f"commitment {name}", (*point, *words[2:])


def _on_outputs(target: Target) -> Iterator[tuple[str, tuple[int, ...]]]:
    words, first, width = target.words, target.first_output, target.outputs
    for i in range(first, len(words) - 1):
        value = words[i]
        changes = {
            "+ 1": value + 1,
            "- 1": value - 1,
            "+ r": value + R,
            "- r": value - R,
            "+ 2 r": value + 2 * R,
            "+ 2^64": value + (1 << 64),
            "+ 2^128": value + (1 << 128),
            "+ 2^255": value + (1 << 255),
            "negated": -value,
            "= 0": 0,
            "= 2^255": 1 << 255,
        }
        # value + 2^256 is the same word: the word's width is the ABI's business.
        for name, changed in changes.items():
            yield f"output {i} {name}", (*words[:i], changed % TOP, *words[i + 1 :])
        other = first + (i - first + width) % (len(words) - 1 - first)
        swapped = list(words)
        swapped[i], swapped[other] = words[other], words[i]
        yield f"outputs {i} and {other} swapped", tuple(swapped)
        if i + 2 < len(words):
            # A unit moved from one lane of the packed value to the next.
            yield (
                f"output {i} + 1, the next - 1",
                (
                    *words[:i],
                    (value + 1) % TOP,
                    (words[i + 1] - 1) % TOP,
                    *words[i + 2 :],
                ),
            )


def _on_statement(target: Target) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Rows exchanged, words left out or added."""
    words, first = target.words, target.first_output
    inputs, outputs, context = words[:first], words[first:-1], words[-1]
    rows_in = [inputs[i : i + target.features] for i in range(0, first, target.features)]
    rows_out = [outputs[i : i + target.outputs] for i in range(0, len(outputs), target.outputs)]
    if not target.private:
        backwards = sum(reversed(rows_in), ())
        yield "input rows backwards", (*backwards, *outputs, context)
        yield "batch backwards", (*backwards, *sum(reversed(rows_out), ()), context)
        yield "inputs and outputs exchanged", (*outputs, *inputs, context)
        yield "first input row everywhere", (*rows_in[0] * target.rows, *outputs, context)
    yield "output rows backwards", (*inputs, *sum(reversed(rows_out), ()), context)
    yield "first output row everywhere", (*inputs, *rows_out[0] * target.rows, context)
    others = {"0": 0, "+ 1": (context + 1) % TOP, "+ r": (context + R) % TOP, "the first word": words[0]}
    for name, changed in others.items():
        if changed != context:
            yield f"context {name}", (*words[:-1], changed)
    yield "context first", (context, *words[:-1])
    yield "no words", ()
    yield "a word less", words[:-1]
    yield "a word less at the start", words[1:]
    yield "a word more", (*words, 0)
    yield "a word more at the start", (0, *words)
    yield "a row more", (*words, *rows_out[-1])
