"""A registry on a local node, versions in it and a fee that follows it, for the journeys of consumers."""

from __future__ import annotations

from pathlib import Path

import assay
from assay.chain.compile import compile_solidity
from assay.chain.solidity import render

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"
PATHS = [
    "consumers/CreditLimit.sol",
    "consumers/RegistryFee.sol",
    "examples/FixedFee.sol",
    "examples/FixedLimit.sol",
    "examples/ForecastFee.sol",
    "registry/ModelRegistry.sol",
]
WEEK, EXISTING, STEP, VERIFY_GAS = 7 * 86_400, 3_000, 1_000, 600_000
LINE = (3_000, 100_000, 500, 10_000)
NOBODY = "0x" + "00" * 20


def trees(seed):
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier

    X, y = load_breast_cancer(return_X_y=True)
    return GradientBoostingClassifier(n_estimators=6, max_depth=2, random_state=seed, subsample=0.5).fit(
        X[:, :4], y
    ), X[:, :4]


class Version:
    """A model with its keys, its verifier on the chain and its number in the registry."""

    def __init__(self, chain, registry, model, X, inputs="public"):
        self.keys = assay.setup(assay.transpile(model, calibration=X, inputs=inputs))
        source = render(self.keys.verifying_key.content)
        contract = compile_solidity({"Verifier.sol": source.text})[source.name]
        self.verifier = chain.deploy_verifier(contract, source)
        self.code, self.model = contract.code_hash, bytes.fromhex(source.model_id[2:])
        chain.send(registry, "propose", self.verifier.address, self.code, self.model, bytes(32))
        self.number = chain.call(registry, "versionCount")
        chain.send(registry, "allow", self.number, b"")

    def decide(self, chain, registry):
        chain.send(registry, "proposeDefault", self.number)
        chain.send(registry, "makeDefault")

    def prove(self, row, **bound):
        return assay.prove(self.keys.proving_key, row, **bound)


class Fee:
    """The contract and its feed."""

    def __init__(self, chain, compiled, registry):
        self.chain = chain
        existing = chain.deploy(compiled["FixedFee"], EXISTING)
        terms = (chain.account, existing.address, WEEK, STEP, VERIFY_GAS, LINE)
        self.contract = chain.deploy(compiled["RegistryFee"], registry.address, *terms)

    def post(self, version, row):
        """Post a row and give the proof of its period."""
        period = self.chain.call(self.contract, "period") + 1
        proof = version.prove(row, context=self.chain.call(self.contract, "contextOf", period))
        self.chain.send(self.contract, "postRow", version.number, proof.public_inputs[:-2])
        return proof

    def settle(self, proof):
        return self.chain.send(self.contract, "settle", proof.body, proof.public_inputs)

    @property
    def now(self):
        return self.chain.call(self.contract, "fee")
