"""A context on the command line, and what it keeps a consumer from accepting."""

from __future__ import annotations

import json

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain
from assay.chain.node import LocalNode
from assay.core.keccak import keccak256
from assay.prove.proof import Proof

LARGEST = (1 << 256) - 1
CONSUMER = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
interface IVerifier {
    function verify(bytes calldata proof, uint256[] calldata publicInputs) external view returns (bool);
}
contract Consumer {
    IVerifier private immutable VERIFIER;
    constructor(IVerifier verifier) { VERIFIER = verifier; }
    function contextOf(uint256 period) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), period)));
    }
    /// The context of the proof is the one that this contract wants, whatever words come with it.
    function accepts(bytes calldata proof, uint256[] calldata words, uint256 period) external view returns (bool) {
        uint256[] memory bound = words;
        bound[words.length - 1] = contextOf(period);
        return VERIFIER.verify(proof, bound);
    }
}"""


def prove(assay_command, folder, rows, out, *context):
    return assay_command("prove", folder, "--input", rows, "--out", out, *context, "--json")


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        yield Chain(node.url)


def test_a_consumer_takes_the_proof_of_its_own_context_alone(chain, circuit_folder, rows_file, tmp_path, assay_command):
    source = tmp_path / "Verifier.sol"
    assert assay_command("solidity", circuit_folder, "--out", source).code == 0
    verifier = chain.deploy(compile_solidity({"Verifier.sol": source.read_text()})["AssayVerifier"])
    code = compile_solidity({"Consumer.sol": CONSUMER})["Consumer"]
    consumer, other = chain.deploy(code, verifier.address), chain.deploy(code, verifier.address)
    wanted = chain.call(consumer, "contextOf", 7)
    out = tmp_path / "proof.json"
    done = prove(assay_command, circuit_folder, rows_file, out, "--context", hex(wanted))
    assert (done.code, done.json["context"]) == (0, hex(wanted))
    proof = Proof.from_json(out.read_text())
    asked = proof.body, proof.public_inputs
    assert chain.call(verifier, "verify", *asked)
    assert chain.call(consumer, "accepts", *asked, 7)
    assert not chain.call(consumer, "accepts", *asked, 8)  # another period
    assert not chain.call(other, "accepts", *asked, 7)  # another consumer
    plain = tmp_path / "plain.json"
    assert prove(assay_command, circuit_folder, rows_file, plain).json["context"] == "0x0"
    unbound = Proof.from_json(plain.read_text())
    assert chain.call(verifier, "verify", unbound.body, unbound.public_inputs)
    assert not chain.call(consumer, "accepts", unbound.body, unbound.public_inputs, 7)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("255", 255),
        ("0xff", 255),
        ("0XFF", 255),
        (str(LARGEST), LARGEST),
        (hex(LARGEST), LARGEST),
        ("0x" + keccak256(b"period 7").hex(), int.from_bytes(keccak256(b"period 7"), "big")),
    ],
)
def test_contexts_that_are_words(text, value, circuit_folder, rows_file, tmp_path, assay_command):
    out = tmp_path / "proof.json"
    done = prove(assay_command, circuit_folder, rows_file, out, "--context", text)
    assert (done.code, done.err) == (0, "")
    assert int(done.json["context"], 16) == value
    assert int(json.loads(out.read_text())["public_inputs"][-1], 16) == value
    done = assay_command("verify", circuit_folder, out, "--json")
    assert (done.code, int(done.json["context"], 16)) == (0, value)
    assert f"context {value:#x}" in assay_command("verify", circuit_folder, out).out


@pytest.mark.parametrize(
    "text", [str(LARGEST + 1), hex(LARGEST + 1), "-1", "-0x1", "", " ", "0x", "1e3", "1.0", "ff", "1_000", "٣", "0x1_0"]
)
def test_contexts_that_are_none(text, circuit_folder, rows_file, tmp_path, assay_command):
    out = tmp_path / "proof.json"
    done = assay_command("prove", circuit_folder, "--input", rows_file, "--out", out, f"--context={text}")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error[proof/context]: ")
    assert "2^256 - 1" in done.err
    assert not out.exists()


def test_a_context_that_is_given_twice_is_none(circuit_folder, rows_file, tmp_path, assay_command):
    out = tmp_path / "proof.json"
    twice = ["--context", "1", "--context", "2"]
    done = assay_command("prove", circuit_folder, "--input", rows_file, "--out", out, *twice)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error[cli/usage]: --context is given 2 times; give it once. See `assay prove --help`.\n"
    assert not out.exists()


def test_a_context_that_was_changed_in_the_file_is_not_valid(circuit_folder, rows_file, tmp_path, assay_command):
    out = tmp_path / "proof.json"
    assert prove(assay_command, circuit_folder, rows_file, out, "--context", "5").code == 0
    fields = json.loads(out.read_text())
    for change in ({"public_inputs": [*fields["public_inputs"][:-1], "0x6"]}, {"context": "0x6"}):
        out.write_text(json.dumps(fields | change))
        done = assay_command("verify", circuit_folder, out)
        assert (done.code, done.err) == (1, ""), (change, done.out)
        assert "NOT VALID" in done.out
