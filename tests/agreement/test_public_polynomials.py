"""The key's public commitments are those of the spec: recomputed from the shape with a known tau."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from .circuits import FLOAT, forest, views_of
from .known_tau import Generator, write_srs
from .proofs import Workshop
from .public_polynomials import fixed_at, groups_in_order, interpolated, public_column
from .reference import parse_key
from .reference.field import R
from .reference.pairing import G2, multiply2

if TYPE_CHECKING:
    from pathlib import Path

TAU = random.SystemRandom().randrange(2, R)

CIRCUITS = {
    "public": forest(1, trees=3),
    "two views a feature": forest(2, features=[FLOAT] * 5, trees=9, depth=5),
    "output groups": forest(3, trees=3, outputs=9),
    "private": forest(4, inputs="private", views=views_of(2, ("refuse",))),
    "private pairs": forest(5, inputs="private", features=[FLOAT] * 3, depth=4),
    "private pairs, output groups": forest(6, inputs="private", outputs=5),
}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    path: Path = tmp_path_factory.mktemp("known") / "known.srs"
    write_srs(path, TAU, (1 << 10) + 64)
    return Workshop(path)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator()


@pytest.mark.parametrize("name", CIRCUITS)
def test_public_commitments(known: Workshop, generator: Generator, name: str) -> None:
    data, _ = known.keys(CIRCUITS[name])
    key = parse_key(data)
    assert key.tau == multiply2(TAU, G2)
    assert key.table[0] == generator.times(interpolated(public_column(key), TAU))
    groups = groups_in_order(key)
    for log, points in enumerate(key.fixed):
        nb = 1 << log
        names = key.fixed_names(nb)
        expected = [generator.times(fixed_at(key, fixed, nb, groups, TAU)) for fixed in names]
        assert list(points) == expected, names
