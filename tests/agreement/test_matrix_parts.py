"""A hidden matrix that is committed in parts (networks.md, section 2.3): what it shows, and what holds it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from assay import _core
from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain
from assay.chain.errors import KeyNotSupported
from assay.chain.networks import NetworkKey
from assay.chain.node import LocalNode
from assay.chain.solidity import render
from assay.models.cost.network import gas, milliseconds
from assay.models.cost.network import parts as foretold
from assay.models.cost.shape import Size
from assay.transpile.networks.cost import parts_of, predict

from .network_circuits import NetworkCircuit, network, stored
from .network_prover import Maker, Prover, R, prove, root
from .proofs import Proof, Workshop, native_refusal, outputs_of, proven, reference_refusal
from .reference.curve import G1, point_bytes
from .reference.networks import parse_network_key
from .reference.networks.key import HEAD, MAGIC
from .test_networks import CHEATS, DEGREE, FOLD, lacking, rank
from .test_networks_on_chain import mutations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.chain.deploy import Deployment

CIRCUIT = NetworkCircuit("recurrent")
NETWORK = network("recurrent")
INPUTS, OUTPUTS = stored("recurrent")["inputs"], stored("recurrent")["outputs"]
PARTS = (2, 4)
START = len(MAGIC) + HEAD.size


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.with_new_srs(tmp_path_factory.mktemp("parts") / "test.srs", 2200)


@pytest.fixture(scope="module")
def native(workshop: Workshop) -> dict[int, tuple[bytes, _core.Prover]]:
    """For each number of parts the product's key and prover."""
    found = {}
    for parts in PARTS:
        proving, verifying = _core.setup(CIRCUIT.to_json(), workshop.srs, 4, parts)
        found[parts] = verifying, _core.Prover(proving, workshop.srs)
    return found


@pytest.fixture(scope="module")
def valid() -> Iterator[Callable[[Proof], bool]]:
    """What the contract of a proof's key says of it."""
    made: dict[bytes, Deployment] = {}
    with LocalNode() as node:
        chain = Chain(node.url)

        def ask(proof: Proof) -> bool:
            if proof.key not in made:
                source = render(proof.key, unchecked=True)
                contract = compile_solidity({"Verifier.sol": source.text})[source.name]
                made[proof.key] = chain.deploy_verifier(contract, source, unchecked=True)
            return bool(chain.call(made[proof.key], "verify", proof.body, list(proof.words)))

        yield ask


@pytest.mark.parametrize("parts", PARTS)
def test_three_verifiers_accept_both_provers(
    native: dict[int, tuple[bytes, _core.Prover]], valid: Callable[[Proof], bool], parts: int
) -> None:
    key, prover = native[parts]
    assert len(parse_network_key(key).matrix) == parts
    maker = Maker(NETWORK, log_nb_max=2, parts=parts)
    for rows in (1, 3):
        made = proven(key, prover, [CIRCUIT.words(row) for row in INPUTS[:rows]])
        plain = prove(maker, INPUTS[:rows])
        assert outputs_of(made, len(OUTPUTS[0])) == outputs_of(plain, len(OUTPUTS[0])) == OUTPUTS[:rows]
        assert len(made.body) == len(plain.body)
        for proof in (made, plain):
            assert native_refusal(proof) is None
            assert reference_refusal(proof) is None
            assert valid(proof)


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_the_plain_prover_divides_without_rest(*, private: bool) -> None:
    prover = Prover(Maker(NETWORK, private, parts=4), INPUTS[:1], None, -1, 2)
    proof = prover.run()
    assert prover.whole
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None


def test_cheats_are_refused_for_what_they_break(valid: Callable[[Proof], bool]) -> None:
    maker = Maker(NETWORK, parts=4)
    for constraint, cheats in CHEATS.items():
        forged = prove(maker, INPUTS[:1], cheats)
        assert native_refusal(forged) is not None
        assert reference_refusal(forged) is not None
        assert not valid(forged)
        if constraint in {FOLD, DEGREE}:
            forged = prove(maker, INPUTS[:1], cheats, removed=constraint)
            assert lacking(forged, constraint) is None
            assert lacking(forged, -1) is not None


def only_the_first_part(prover: Prover) -> None:
    """w~ of the first part alone."""
    folded = [0] * prover.K
    for block in reversed(prover.maker.w_blocks[: prover.key.M_p]):
        folded = [(value + prover.c.p * f) % R for value, f in zip(block, folded, strict=True)]
    prover.witness.folded = folded


def test_no_part_can_be_left_out(valid: Callable[[Proof], bool]) -> None:
    forged = prove(Maker(NETWORK, parts=4), INPUTS[:1], {"fold": only_the_first_part})
    assert native_refusal(forged) is not None
    assert reference_refusal(forged) is not None
    assert not valid(forged)


def test_no_mutation_is_accepted_by_any_verifier(
    native: dict[int, tuple[bytes, _core.Prover]], valid: Callable[[Proof], bool]
) -> None:
    key, prover = native[4]
    proof = proven(key, prover, [CIRCUIT.words(INPUTS[0])])
    for changed in mutations(proof, random.Random(11)):
        assert not valid(changed)
        assert native_refusal(changed) is not None
        assert reference_refusal(changed) is not None


def test_a_proof_is_of_all_parts_and_their_number(native: dict[int, tuple[bytes, _core.Prover]]) -> None:
    """Parts in another order, one replaced, more or fewer of them: another key, another digest, no proof."""
    key, prover = native[4]
    proof = proven(key, prover, [CIRCUIT.words(INPUTS[0])])
    shape = parse_network_key(key)
    at = [START + 64 * (len(shape.table_packs) + c) for c in range(4)]
    points = [key[start : start + 64] for start in at]
    for order in ([1, 0, 2, 3], [0, 1, 3, 2], [3, 1, 2, 0]):
        other = key[: at[0]] + b"".join(points[c] for c in order) + key[at[3] + 64 :]
        assert reference_refusal(proof.with_(key=other)) is not None
        assert native_refusal(proof.with_(key=other)) is not None
    for start in at:
        other = key[:start] + point_bytes(G1) + key[start + 64 :]
        assert reference_refusal(proof.with_(key=other)) is not None
        assert native_refusal(proof.with_(key=other)) is not None
    assert native_refusal(proof.with_(key=native[2][0])) is not None


def with_mode(key: bytes, mode: int) -> bytes:
    head = list(HEAD.unpack(key[len(MAGIC) : START]))
    head[20] = mode
    return MAGIC + HEAD.pack(*head) + key[START:]


def test_modes_that_no_key_has_are_refused(native: dict[int, tuple[bytes, _core.Prover]]) -> None:
    """The reserved one, more parts than powers of X^K, more than the protocol allows, and those of other lengths."""
    key, prover = native[2]
    proof = proven(key, prover, [CIRCUIT.words(INPUTS[0])])
    for mode in (0, 1, 3, 4, 5, 13, 14, 255):
        other = proof.with_(key=with_mode(key, mode))
        assert native_refusal(other) == "key/malformed", mode
        assert reference_refusal(other) is not None, mode
    for mode in (1, 14, 255):
        with pytest.raises(KeyNotSupported, match="damaged"):
            NetworkKey.parse(with_mode(key, mode))


def test_a_contract_holds_no_more_parts_than_fit(native: dict[int, tuple[bytes, _core.Prover]]) -> None:
    key = native[2][0]
    head = list(HEAD.unpack(key[len(MAGIC) : START]))
    head[20], head[22] = 9, 1 << 10
    many = MAGIC + HEAD.pack(*head) + key[START : START + 64] * 300 + key[-128:]
    with pytest.raises(KeyNotSupported, match="in 256 parts, and a contract holds at most 128"):
        NetworkKey.parse(many)


def test_the_key_is_checked_with_its_own_number_of_parts(
    workshop: Workshop, native: dict[int, tuple[bytes, _core.Prover]]
) -> None:
    bare = json.loads(CIRCUIT.to_json())
    bare["network"]["weights"] = []
    for key, _ in native.values():
        _core.check_key(key, workshop.srs, json.dumps(bare))


@pytest.mark.parametrize(("columns", "parts"), [(64, 1), (128, 2), (512, 8), (8192, 128), (16384, 128)])
def test_the_number_of_parts_is_what_was_foretold(workshop: Workshop, columns: int, parts: int) -> None:
    """The prover's rule, and that of the compiler and of the cost model, for matrices that are mostly empty."""
    circuit = json.loads(CIRCUIT.to_json())
    circuit["network"]["columns"] = columns
    if columns <= 1 << 13:  # the string reaches it
        proving, key = _core.setup(json.dumps(circuit), workshop.srs, 1)
        assert len(parse_network_key(key).matrix) == parts
        proof = proven(key, _core.Prover(proving, workshop.srs), [CIRCUIT.words(INPUTS[0])])
        assert outputs_of(proof, len(OUTPUTS[0])) == OUTPUTS[:1]
        assert native_refusal(proof) is None
    size = Size(kind="network", features=1, rows=30, table=512, slots=32, columns=columns)
    assert parts_of(32, 512, 32, columns) == parts == foretold(size)
    predicted = predict(30, 32, 512, 32, columns, limbs=2, pairs=True)
    assert milliseconds(size) == pytest.approx(predicted.milliseconds)
    assert gas(size) == pytest.approx(gas(size.model_copy(update={"columns": 8})) + (parts - 1) * 6_550, abs=25_000)


@pytest.mark.parametrize("parts", [1, 2, 4, 8])
def test_every_part_is_hidden_by_random_values_of_its_own(parts: int) -> None:
    """What slot 0 adds to each [w_c] is a linear function of its `M` values; the `P` functions are independent.

    So the commitments of all parts together are uniform, whatever the weights are.
    """
    K, M, tau = NETWORK.slots, NETWORK.columns, 987654321
    each, over = M // parts, pow(root(M), -1, R)
    lines = []
    for c in range(parts):
        powers = range(each * c, each * (c + 1))
        lines.append([sum(pow(tau, K * (i - each * c), R) * pow(over, i * m, R) for i in powers) % R for m in range(M)])
    assert rank(lines) == parts
