"""Fixtures: a development string, one whose tau is known, proofs of every shape that is attacked."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.agreement.known_tau import write_srs
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.proofs import Workshop

from assay.chain.node import LocalNode

from .attacks import R
from .contracts import Contracts
from .network_simulator import NetworkSimulator
from .simulator import Simulator
from .targets import SHAPES, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.agreement.circuits import Circuit
    from tests.agreement.proofs import Proof


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.with_new_srs(tmp_path_factory.mktemp("soundness") / "dev.srs")


@dataclass(frozen=True)
class Known:
    """A workshop whose tau the tests know."""

    workshop: Workshop
    tau: int

    def simulator(
        self, circuit: Circuit | NetworkCircuit, key: bytes, seed: object = 0, **options: Any
    ) -> Simulator | NetworkSimulator:
        rng = random.Random(f"{seed}")
        if isinstance(circuit, NetworkCircuit):
            return NetworkSimulator(key, self.tau, rng, circuit, **options)
        return Simulator(key, self.tau, rng, **options)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    tau = random.SystemRandom().randrange(2, R)
    path = tmp_path_factory.mktemp("known") / "known.srs"
    # A table of 1,024 rows with its blinding: 32-bit keys.
    write_srs(path, tau, (1 << 10) + 64)
    return Known(Workshop(path), tau)


@pytest.fixture(params=SHAPES, ids=list(SHAPES))
def shape(request: pytest.FixtureRequest) -> Shape:
    return SHAPES[request.param]


@pytest.fixture
def proof(workshop: Workshop, shape: Shape) -> Proof:
    return shape.proof(workshop)


@pytest.fixture(scope="session")
def contracts() -> Iterator[Contracts]:
    """Generated verifiers on a node of their own."""
    with LocalNode() as node:
        yield Contracts(node)
