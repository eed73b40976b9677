"""What is checked of a network's key (networks.md, section 8): whatever its maker changed is refused, but `[w]`.

Every key here is well formed: a verifier takes it, and only the check with the public circuit tells.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from assay import _core

from .known_tau import write_srs
from .network_circuits import NAMES, NetworkCircuit, network
from .network_prover import Maker
from .proofs import Workshop
from .reference import Refused, networks
from .reference.curve import G1, point_bytes
from .reference.networks.key import HEAD, MAGIC
from .reference.pairing import G2, multiply2
from .reference.transcript import word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = len(MAGIC) + HEAD.size
FIELDS = {
    "inputs": 1, "srs": 2, "rho": 3, "F": 4, "O": 5, "scale_bits": 6, "lane": 7,
    "S": 10, "N": 12, "L": 14,
    "f": 17, "flags": 18, "q_shift": 19, "K": 21, "M": 22, "base_c": 23,
}  # fmt: skip


def bare(circuit: NetworkCircuit) -> str:
    """The public circuit: without its weights."""
    content = json.loads(circuit.to_json())
    content["network"]["weights"] = []
    return json.dumps(content)


def refusal(key: bytes, workshop: Workshop, circuit: NetworkCircuit) -> str | None:
    """Why the check refuses, if it does."""
    try:
        _core.check_key(key, workshop.srs, bare(circuit))
    except _core.CoreError as error:
        return ": ".join(map(str, error.args))
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("inputs", ["public", "private"])
def test_every_commitment_but_that_of_the_weights_is_compared(workshop: Workshop, name: str, inputs: str) -> None:
    circuit = NetworkCircuit(name, inputs)
    key, _ = workshop.keys(circuit)
    assert refusal(key, workshop, circuit) is None
    shape = networks.parse_network_key(key)
    of_weights = len(shape.table_packs)
    for i in range(len(shape.points)):
        at = START + 64 * i
        changed = key[:at] + point_bytes(G1) + key[at + 64 :]
        networks.parse_network_key(changed)
        found = refusal(changed, workshop, circuit)
        assert (found is None) == (i == of_weights), i
        assert found is None or "a public polynomial is not that of the circuit" in found


def other_shapes(key: bytes) -> Iterator[tuple[str, bytes]]:
    """Keys with another value in one field that are well formed all the same, with as many points as that needs."""
    head = HEAD.unpack(key[len(MAGIC) : START])
    points = key[START:-128]
    for name, at in FIELDS.items():
        value = head[at]
        for other in {value + 1, value - 1, value * 2, value // 2, value ^ 1, value ^ 2, value ^ 3} - {value}:
            try:
                changed = HEAD.pack(*head[:at], other, *head[at + 1 :])
            except struct.error:  # no field has such a value
                continue
            for count in range(1, len(points) // 64 + 20):
                body = (points + points)[: 64 * count]
                try:
                    networks.parse_network_key(MAGIC + changed + body + key[-128:])
                except Refused:
                    continue
                yield name, MAGIC + changed + body + key[-128:]
                break


def test_every_field_of_the_shape_is_compared(workshop: Workshop) -> None:
    circuit = NetworkCircuit("recurrent")
    seen = set()
    for name, changed in other_shapes(workshop.keys(circuit)[0]):
        assert "key/forged" in str(refusal(changed, workshop, circuit)), name
        seen.add(name)
    assert seen == set(FIELDS)


def test_a_key_cut_to_fewer_rows_is_the_key_for_fewer_rows(workshop: Workshop) -> None:
    """Of the most rows the circuit says nothing: a cut key has another digest, and its proofs say the same."""
    circuit = NetworkCircuit("recurrent")
    key, _ = workshop.keys(circuit)
    shape = networks.parse_network_key(key)
    head = list(HEAD.unpack(key[len(MAGIC) : START]))
    head[15] -= 1
    cut = MAGIC + HEAD.pack(*head) + key[START : -128 - 64 * len(shape.packs(shape.wiring, 4))] + key[-128:]
    assert refusal(cut, workshop, circuit) is None


def test_the_secret_is_that_of_the_string(workshop: Workshop) -> None:
    circuit = NetworkCircuit("dense")
    key, _ = workshop.keys(circuit)
    (x0, x1), (y0, y1) = multiply2(12345, G2)
    found = refusal(key[:-128] + b"".join(map(word, (x1, x0, y1, y0))), workshop, circuit)
    assert found is not None
    assert "its reference string is not this one" in found


def reads_another(rows: list[dict[str, int]]) -> None:
    rows[-2]["rb"] = 1


def another_slot(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["slot"] > 5)
    row["slot"] += 1


def another_column(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["cz"] > 0)
    row["cz"] -= 1


def another_position(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["p"] > 0)
    row["p"] += 1


def another_product(rows: list[dict[str, int]]) -> None:
    rows[-1]["qm"] = 1 << 8


def a_max_row(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["mx"])
    row["mx"] = 0


def another_lane(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["sa"] > 1)
    row["sa"] *= 2


def no_input(rows: list[dict[str, int]]) -> None:
    row = next(row for row in rows if row["used"])
    row["used"] = 0


CHANGES: dict[str, tuple[str, str, Callable[[list[dict[str, int]]], None]]] = {
    "delta": ("dense", "public", reads_another),
    "ca": ("dense", "public", another_slot),
    "cz": ("dense", "public", another_column),
    "pi": ("recurrent", "public", another_position),
    "qm": ("dense", "public", another_product),
    "mx": ("pooled", "public", a_max_row),
    "sa": ("dense", "public", another_lane),
    "Ein": ("dense", "private", no_input),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_maker_who_wires_one_row_otherwise_is_found_out(tmp_path_factory: pytest.TempPathFactory, what: str) -> None:
    """With the string's secret known here, so that the plain maker's honest key passes."""
    tau = 987_654_321
    path = tmp_path_factory.mktemp("maker") / "known.srs"
    write_srs(path, tau, 700)
    name, inputs, change = CHANGES[what]
    circuit = NetworkCircuit(name, inputs)
    own = Workshop(path)
    honest = Maker(network(name), inputs == "private", tau=tau)
    assert refusal(honest.content, own, circuit) is None
    hostile = Maker(network(name), inputs == "private", tau=tau, change_rows=change)
    assert hostile.content[:START] == honest.content[:START]
    assert refusal(hostile.content, own, circuit) is not None
