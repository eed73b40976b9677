"""A key's proof of itself: Rust and the plain verifier take it from honest keys, and from no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assay import _core

from .cases import CASES, max_rows
from .circuits import forest
from .reference import Refused, check_itself, parse_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .proofs import Workshop

NAMES = ["depth 4", "9 outputs", "every rule", "batches", "private pairs", "private, 5 outputs", "integers", "linear"]
TAU = 128


def native(key: bytes) -> bool:
    try:
        _core.check_key_itself(key)
    except _core.CoreError as error:
        assert error.args[0] == "key/forged"  # noqa: PT017  the code is what is tested, and returning is no failure
        return False
    return True


def plain(key: bytes) -> bool:
    try:
        check_itself(parse_key(key))
    except Refused:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_honest_keys(workshop: Workshop, name: str) -> None:
    key, _ = workshop.keys(CASES[name][0], max_rows(CASES[name]))
    assert native(key)
    assert plain(key)


def forged(key: bytes, other: bytes, points: int) -> Iterator[tuple[str, bytes]]:
    """One part of the key is another one's, or stands in another place. The last point is the proof of itself."""
    start = len(key) - TAU - 64 * points
    of = [key[start + 64 * i : start + 64 * (i + 1)] for i in range(points)]
    others = [other[start + 64 * i : start + 64 * (i + 1)] for i in range(points)]

    def put(changes: dict[int, bytes]) -> bytes:
        return key[:start] + b"".join(changes.get(i, point) for i, point in enumerate(of)) + key[-TAU:]

    for i in range(points):
        # Of another string, so that none of them is the key's.
        yield f"point {i} of another key", put({i: others[i]})
        if i:
            yield f"points {i - 1} and {i} swapped", put({i - 1: of[i], i: of[i - 1]})
    yield "tau of another string", key[:-TAU] + other[-TAU:]
    scale = len(b"assay-vk/3\0") + 4 + 2 * 4 + 3
    yield "another scale", key[:scale] + bytes([key[scale] ^ 1]) + key[scale + 1 :]


@pytest.mark.parametrize("inputs", ["public", "private"])
def test_forged_keys_are_refused(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory, inputs: str) -> None:
    circuit = forest(901, outputs=5, inputs=inputs)
    key, _ = workshop.keys(circuit, 8)
    elsewhere = type(workshop).with_new_srs(tmp_path_factory.mktemp("elsewhere") / "dev.srs", (1 << 12) + 64)
    other, _ = elsewhere.keys(circuit, 8)
    points = 4 + sum(len(entry["points"]) for entry in _core.vk_info(key)["fixed"]) + 1
    for name, changed in forged(key, other, points):
        assert changed != key
        assert not native(changed), name
        assert not plain(changed), name
