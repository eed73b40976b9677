"""From a trained model to a contract on a node that acts on its proven answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.solidity import render

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"
POOL = ["examples/RegimeFeePool.sol", "interfaces/IAssayVerifier.sol"]
TRUE, FALSE = bytes(31) + b"\x01", bytes(32)


def trees():
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier

    X, y = load_breast_cancer(return_X_y=True)
    return GradientBoostingClassifier(n_estimators=10, max_depth=3, random_state=0).fit(X[:, :5], y), X[:, :5]


def several_classes():
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    X, y = load_wine(return_X_y=True)
    return RandomForestClassifier(n_estimators=5, max_depth=4, random_state=0).fit(X, y), X


def linear():
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge

    X, y = load_diabetes(return_X_y=True)
    return Ridge().fit(X, y), X


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        yield Chain(node.url)


def on_chain(chain, model, X, inputs):
    keys = assay.setup(assay.transpile(model, calibration=X, inputs=inputs), max_batch=4)
    source = render(keys.verifying_key.content)
    contract = compile_solidity({"Verifier.sol": source.text})[source.name]
    # What the outputs mean stands in its comments; the code is the same.
    commented = compile_solidity({"Verifier.sol": assay.solidity(keys.verifying_key)})[source.name]
    assert commented.bytecode == contract.bytecode
    return keys, source, chain.deploy_verifier(contract, source)


@pytest.mark.parametrize(
    ("train", "inputs"),
    [
        (trees, "public"),
        (trees, "private"),
        (several_classes, "public"),
        (several_classes, "private"),
        (linear, "public"),
    ],
)
def test_the_contract_says_what_the_native_verifier_says(chain, train, inputs):
    model, X = train()
    keys, _, verifier = on_chain(chain, model, X, inputs)
    for rows in (1, 2, 3):
        proof = assay.prove(keys.proving_key, X[:rows])
        assert assay.verify(keys.verifying_key, proof)
        calldata = proof.calldata()
        assert chain.call_calldata(verifier, calldata) == TRUE
        for at in (0x64 + 40, 0x64 + 64 * 6, len(calldata) - 1):
            tampered = bytearray(calldata)
            tampered[at] ^= 1
            assert chain.call_calldata(verifier, bytes(tampered)) == FALSE


def test_a_pool_acts_on_the_proven_answer_once(chain):
    model, X = trees()
    keys, source, verifier = on_chain(chain, model, X, "public")
    pool_code = compile_solidity(read_sources(CONTRACTS, paths=POOL))["RegimeFeePool"]
    model_id = bytes.fromhex(source.model_id[2:])
    code = compile_solidity({"Verifier.sol": source.text})[source.name].code_hash
    pool = chain.deploy(pool_code, verifier.address, code, model_id, chain.account, 3_600, 500, 3_000)
    margins = model.decision_function(X)
    for row in (X[int(np.argmax(margins))], X[int(np.argmin(margins))]):
        proof = assay.prove(keys.proving_key, row)
        words = proof.public_inputs
        chain.send(pool, "postRow", words[:5])
        chain.send(pool, "settle", proof.body, words)
        assert chain.call(pool, "fee") == (3_000 if proof.outputs[0][0] > 0 else 500)
        for again in (proof, assay.prove(keys.proving_key, row)):
            with pytest.raises(TransactionReverted, match="AlreadyProven"):
                chain.send(pool, "settle", again.body, again.public_inputs)
