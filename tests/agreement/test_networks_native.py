"""Networks by the native prover: its keys and proofs are those of the page, for every verifier."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain
from assay.chain.node import LocalNode
from assay.chain.solidity import render
from assay.models.cost.network import gas
from assay.models.cost.shape import Size
from assay.prove.calldata import verify_calldata

from .known_tau import write_srs
from .network_circuits import NAMES, NetworkCircuit
from .network_prover import Generator, Maker, evaluate, weave
from .proofs import Workshop, native_refusal, outputs_of, proven, reference_refusal
from .reference.curve import point_bytes
from .reference.networks import parse_network_key
from .reference.networks.key import HEAD, MAGIC
from .test_networks import case

if TYPE_CHECKING:
    from pathlib import Path

TAU = 31337_0001
DEGREE = 800


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    path: Path = tmp_path_factory.mktemp("srs") / "known.srs"
    write_srs(path, TAU, DEGREE)
    return Workshop(path)


def circuit(name: str, *, private: bool = False) -> NetworkCircuit:
    return NetworkCircuit(name, "private" if private else "public")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_honest_proofs(workshop: Workshop, name: str, *, private: bool) -> None:
    own = circuit(name, private=private)
    key, prover = workshop.keys(own, 4)
    _, inputs, outputs = case(name)
    for rows in (1, 2, 3):
        proof = proven(key, prover, [own.words(row) for row in inputs[:rows]])
        assert native_refusal(proof) is None
        assert reference_refusal(proof) is None
        assert outputs_of(proof, len(outputs[0])) == outputs[:rows]
        changed = proof.with_(words=(proof.words[0] ^ 1, *proof.words[1:]))
        assert reference_refusal(changed) is not None
        assert native_refusal(changed) is not None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_a_key_commits_to_the_page(workshop: Workshop, name: str, *, private: bool) -> None:
    """Table and wiring for every number of blocks, recomputed from the page by the plain maker."""
    key, _ = workshop.keys(circuit(name, private=private), 4)
    maker = Maker(case(name)[0].network, private, log_nb_max=2)
    shape, generator = parse_network_key(key), Generator()
    for nb in (1, 2, 4):
        polynomials = maker.table_polynomials | maker.blocks[nb]
        found = shape.committed(nb)
        for pack in (*shape.table_packs, *shape.packs(shape.wiring, nb)):
            woven = weave([polynomials[column] for column in pack])
            assert found[pack] == generator.times(evaluate(woven, TAU)), (nb, pack)


def test_the_contract_of_a_native_key(workshop: Workshop) -> None:
    own = circuit("recurrent")
    key, prover = workshop.keys(own, 4)
    _, inputs, _ = case("recurrent")
    proof = proven(key, prover, [own.words(row) for row in inputs[:1]])
    source = render(key, unchecked=True)
    with LocalNode() as node:
        chain = Chain(node.url)
        contract = chain.deploy_verifier(compile_solidity({"V.sol": source.text})[source.name], source, unchecked=True)
        assert chain.call(contract, "verify", proof.body, list(proof.words))
        assert not chain.call(contract, "verify", proof.body, [proof.words[0] ^ 1, *proof.words[1:]])


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_gas_of_rows_is_what_the_cost_model_says(workshop: Workshop, *, private: bool) -> None:
    own = circuit("dense", private=private)
    key, prover = workshop.keys(own, 16)
    shape = parse_network_key(key)
    kinds = dict.fromkeys(("views", "trees", "depth", "nodes", "bottom"), 0)
    sizes = {"rows": shape.S, "table": shape.N, "slots": shape.K, "columns": shape.M, "limbs": shape.L}
    size = Size(kind="network", features=shape.F, outputs=shape.O, private=private, wide=False, **kinds, **sizes)
    source = render(key, unchecked=True)
    code, found = compile_solidity({"V.sol": source.text})[source.name], {}
    with LocalNode() as node:
        chain = Chain(node.url)
        contract = chain.deploy_verifier(code, source, unchecked=True)
        for rows in (1, 2, 8, 16):
            proof = proven(key, prover, [own.random_row(random.Random(row)) for row in range(rows)])
            calldata = verify_calldata(proof.body, proof.words)
            found[rows] = chain.send_calldata(contract, calldata).gas_used
            assert found[rows] == pytest.approx(gas(size, rows), rel=0.03), rows
    assert found[16] / 16 < found[8] / 8 < found[2] / 2 < found[1]


def test_a_contract_takes_128_rows_at_most_whatever_its_key_allows(workshop: Workshop) -> None:
    small, _ = workshop.keys(circuit("dense"), 16)
    assert "maxRows: 16," in render(small, unchecked=True).text
    # Which points they are is no matter here, but that they differ: none is stored once for two places.
    shape = parse_network_key(small)
    start = len(MAGIC) + HEAD.size
    head = list(HEAD.unpack(small[len(MAGIC) : start]))
    head[15] = 9
    large = replace(shape, log_nb_max=9)
    count = len(shape.table_packs) + 1 + sum(len(large.packs(large.wiring, 1 << log)) for log in range(10))
    generator = Generator()
    points = [generator.times(7**i) for i in range(1, count + 1)]
    content = MAGIC + HEAD.pack(*head) + b"".join(point_bytes(point) for point in points if point) + small[-128:]
    source = render(content, unchecked=True)
    assert "maxRows: 128," in source.text
    assert compile_solidity({"V.sol": source.text})[source.name].runtime_size < 24_576
