"""The proofs that are attacked."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.agreement.circuits import FLOAT, Circuit, Row, forest, linear, views_of
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.reference import is_network, networks, parse_key, trees
from tests.agreement.reference import linear as linear_relation
from tests.agreement.reference.key import padded_rows

from .attacks import Target

if TYPE_CHECKING:
    from tests.agreement.proofs import Proof, Workshop

WEI = {"kind": "integer", "min": "0", "max": str((1 << 64) - 1)}
SECRET = bytes(range(1, 33))
CONTEXT = int.from_bytes(bytes(range(33, 65)), "big")


@dataclass(frozen=True)
class Shape:
    """A circuit and how many rows are proven at once."""

    circuit: Circuit | NetworkCircuit
    rows: int

    def inputs(self, seed: int = 1) -> list[Row]:
        rng = random.Random(seed)
        return [self.circuit.random_row(rng) for _ in range(self.rows)]

    def proof(self, workshop: Workshop, seed: int = 1, opening: bytes = SECRET) -> Proof:
        """A proof; rows depend on the seed alone."""
        private = self.circuit.inputs == "private"
        return workshop.prove(self.circuit, self.inputs(seed), opening=opening if private else None, context=CONTEXT)


SHAPES = {
    "trees, 3 rows": Shape(forest(1, trees=3, depth=3), 3),
    "trees, 5 outputs": Shape(forest(2, trees=2, depth=2, outputs=5), 1),
    "trees, private pairs, 2 rows": Shape(forest(3, inputs="private"), 2),
    "trees, integers": Shape(forest(4, features=[FLOAT, WEI], views=views_of(2, ("refuse",))), 1),
    "trees, packs of two": Shape(forest(6, trees=100, depth=1), 1),
    "trees, no packs": Shape(forest(7, trees=200, depth=1), 1),
    "linear, 3 rows": Shape(linear(5, features=2, outputs=3), 3),
    "networks": Shape(NetworkCircuit("recurrent"), 1),
    "networks, 3 rows": Shape(NetworkCircuit("pooled"), 3),
    "networks, private, 2 rows": Shape(NetworkCircuit("dense", "private"), 2),
}


def target_of(proof: Proof) -> Target:
    """How the spec cuts the proof."""
    if is_network(proof.key):
        return _target_of_network(proof)
    key = parse_key(proof.key)
    layout = (trees if key.trees else linear_relation).layout(key, padded_rows(key, proof.rows))
    return Target(
        rows=proof.rows,
        features=key.F,
        outputs=key.K,
        private=key.private,
        bits=key.bits,
        words=proof.words,
        body=proof.body,
        points=len(layout.round1) + len(layout.round2) + len(layout.chunks),
        evaluations=len(layout.evaluations),
    )


def _target_of_network(proof: Proof) -> Target:
    key = networks.parse_network_key(proof.key)
    nb = networks.padded(key, proof.rows)
    return Target(
        rows=proof.rows,
        features=key.F if key.private else key.G,
        outputs=key.O,
        private=key.private,
        # Those of a row's last word.
        bits=networks.LANE_BITS * (key.F - networks.LANES * max(0, key.G - 1)),
        words=proof.words,
        body=proof.body,
        points=sum(len(packs) for packs, _ in key.rounds(nb)) + key.chunks(nb),
        evaluations=len(key.evaluations(nb)),
    )
