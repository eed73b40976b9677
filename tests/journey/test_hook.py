"""A Uniswap v4 pool whose fee a proof changes: the hook under Uniswap's own pool manager, run from its bytecode."""

from __future__ import annotations

import json

import numpy as np
import pytest
from eth_abi import encode
from tests.journey.registered import CONTRACTS, EXISTING, NOBODY, PATHS, STEP, Fee, Version, trees
from tests.unit.data.small import make_task

import assay
from assay.chain.compile import CompiledContract, compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.errors import TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.npm import node_modules
from assay.chain.row import row_contract
from assay.chain.solidity import render
from assay.core.keccak import keccak256

ROOT = CONTRACTS.parent
HOOK_PATHS = ["src/consumers/FeeSourceHook.sol", "test/helpers/PoolActor.sol", *(f"src/{path}" for path in PATHS)]
OBSERVED_PATHS = [
    "src/consumers/ObservedFee.sol",
    "src/consumers/ObservedRegistryFee.sol",
    "src/examples/FixedFee.sol",
    "src/observations/ObservingHook.sol",
    "src/registry/ModelRegistry.sol",
    "src/registry/ModelWithRow.sol",
    "test/helpers/PoolActor.sol",
]
FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The factory of CREATE2 that stands at this address on every large chain, and on Anvil."""
BITS, OBSERVING_BITS = 0x1080, 0x10C0
"""After initialize, before swap (and after swap): what a hook's address says of it."""
HOUR, PRICE_UNIT, VOLUME_UNIT = 3600, 10**9, 10**15
LINE = (500, 8_000, 500, 10_000)
VERIFY_GAS, MOST_FOLLOWING_GAS = 500_000, 30_000
LIQUIDITY, AMOUNT = 10**24, 10**18


@pytest.fixture(scope="module")
def sources():
    return read_sources(ROOT, paths=HOOK_PATHS)


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        yield Chain(node.url)


def pool_manager(chain):
    """What Uniswap's package ships compiled; its source is of a licence that we do not open."""
    package = node_modules("@uniswap/v4-core") / "@uniswap" / "v4-core"
    artefact = json.loads((package / "out" / "PoolManager.sol" / "PoolManager.json").read_text())
    code, runtime = (bytes.fromhex(artefact[part]["object"][2:]) for part in ("bytecode", "deployedBytecode"))
    return chain.deploy(CompiledContract("PoolManager", artefact["abi"], code, runtime), chain.account)


def placed(code, bits):
    """Salt and address at which the factory puts a hook whose address has its bits."""
    digest = keccak256(code)
    start = b"\xff" + bytes.fromhex(FACTORY[2:])
    for number in range(1 << 20):
        salt = number.to_bytes(32, "big")
        address = keccak256(start + salt + digest)[12:]
        if int.from_bytes(address[-2:], "big") & 0x3FFF == bits:
            return salt, "0x" + address.hex()
    raise AssertionError("no address has these bits")


def deployed_hook(chain, contract, manager, source) -> Deployment:
    """Look for a salt that gives the address its bits; deploy there."""
    code = contract.bytecode + encode(["address", "address"], [manager.address, source.address])
    salt, address = placed(code, BITS)
    receipt = chain.send_calldata(Deployment("factory", FACTORY, [], None), salt + code)
    return Deployment("FeeSourceHook", address, contract.abi, receipt)


def fee_of(bought):
    """Millionths that a sale of AMOUNT paid, from what it bought in a pool at a price of one."""
    net = bought + bought * bought // LIQUIDITY
    return round(1_000_000 * (AMOUNT - net) / AMOUNT)


def test_nothing_that_is_compiled_is_of_another_licence(sources):
    sources = sources | read_sources(ROOT, paths=OBSERVED_PATHS)
    packages = {name: text for name, text in sources.items() if name.startswith("@")}
    assert any(name.startswith("@uniswap/v4-core/src/") for name in packages)
    for name, text in packages.items():
        assert "// SPDX-License-Identifier: MIT\n" in text, name


def test_a_proof_changes_what_a_swap_pays(chain, sources):
    compiled = compile_solidity(sources)
    who = chain.account
    registry = chain.deploy(compiled["ModelRegistry"], bytes(32), who, who, who, 0, NOBODY)
    model, X = trees(0)
    version = Version(chain, registry, model, X)
    version.decide(chain, registry)
    fee = Fee(chain, compiled, registry)
    manager = pool_manager(chain)
    hook = deployed_hook(chain, compiled["FeeSourceHook"], manager, fee.contract)
    actor = chain.deploy(compiled["PoolActor"], manager.address)
    chain.send(actor, "open", chain._web3.to_checksum_address(hook.address), chain.call(actor, "dynamicFee"))

    def paid():
        said = fee_of(chain.call(actor, "swap", AMOUNT))
        assert said == chain.call(hook, "fee")
        return said

    assert paid() == EXISTING
    fee.settle(fee.post(version, X[int(np.argmax(model.decision_function(X)))]))
    assert paid() == EXISTING + STEP
    chain.send(registry, "freeze", version.model, "a test")
    assert paid() == EXISTING
    # Asked in earnest, a swap with its question to the registry stays an ordinary one.
    assert chain.send(actor, "swap", AMOUNT).gas_used < 250_000


def created(creator, nonce):
    """The address of what an account creates with its nonce."""
    import rlp

    return "0x" + keccak256(rlp.encode([bytes.fromhex(creator[2:]), nonce]))[12:].hex()


def pool_of(chain, actor, hook):
    """The id of the pool that the actor will open with a hook: of its first two contracts, the tokens."""
    tokens = sorted(created(actor.address, nonce) for nonce in (1, 2))
    kinds = ["address", "address", "uint24", "int24", "address"]
    return keccak256(encode(kinds, [*tokens, chain.call(actor, "dynamicFee"), 60, hook]))


def observed_model(seed=1):
    """A model of the two features of a history's price, its keys, its verifier and the contract of its row."""
    from sklearn.tree import DecisionTreeRegressor

    features = [
        {"name": "f0", "op": "difference", "of": "price", "onchain": "observations"},
        {"name": "f1", "op": "column", "of": "price % 1000", "onchain": "observations"},
    ]
    columns = [{"name": "price", "op": "last", "of": "p", "onchain": "price"}]
    source = {"name": "trades", "kind": "csv", "path": "trades.csv"}
    bars = {"every": "1h", "columns": columns}
    task = make_task({"time": "at", "sources": [source], "bars": bars, "features": features})
    draw = np.random.default_rng(seed)
    X = np.stack([draw.integers(-9000, 9000, 400), draw.integers(0, 1000, 400)], axis=1).astype(float)
    model = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, np.abs(X[:, 0]) / 9000 + X[:, 1] / 9000)
    circuit = assay.transpile(model, calibration=X)
    assert [one.name for one in circuit.features] == ["f0", "f1"]
    return model, circuit, row_contract(task, circuit, library="./src")


class Observed:
    """A pool of ObservingHook whose fee is ObservedFee's; each names the other, so their addresses are foretold."""

    def __init__(self, chain, compiled, made, row):
        self.chain, self.compiled = chain, compiled
        pinned = self.pinned(made, row)
        existing, manager = chain.deploy(compiled["FixedFee"], EXISTING), pool_manager(chain)
        self.actor = chain.deploy(compiled["PoolActor"], manager.address)
        # The fee's address follows from the account, the hook's from the fee's, and the pool's id from the hook's.
        fee = created(chain.account, chain._web3.eth.get_transaction_count(chain.account))
        kinds = ["address", "address", "uint256", "uint256", "uint32", "uint16"]
        terms = [manager.address, fee, PRICE_UNIT, VOLUME_UNIT, HOUR, 8]
        hook_code = compiled["ObservingHook"].bytecode + encode(kinds, terms)
        salt, address = placed(hook_code, OBSERVING_BITS)
        address = chain._web3.to_checksum_address(address)
        self.pool = pool_of(chain, self.actor, address)
        self.market = (address, self.pool, existing.address)
        self.fee = chain.deploy(compiled["ObservedFee"], pinned, *self.market, 2 * HOUR, LINE)
        assert self.fee.address.lower() == fee
        chain.send_calldata(Deployment("factory", FACTORY, [], None), salt + hook_code)
        self.hook = Deployment("ObservingHook", address, compiled["ObservingHook"].abi, None)
        now = int(chain._web3.eth.get_block("latest")["timestamp"])
        self.start = (now // HOUR + 2) * HOUR
        self.at(0)
        chain.send(self.actor, "open", address, chain.call(self.actor, "dynamicFee"))

    def pinned(self, made, row):
        """What a consumer pins of a model."""
        code = compile_solidity({"Verifier.sol": made.text})[made.name]
        verifier = self.chain.deploy_verifier(code, made)
        model = bytes.fromhex(made.model_id[2:])
        return verifier.address, code.code_hash, model, row.address, self.chain.code_hash(row.address)

    def followed(self):
        """A fee of the same market that follows a registry, and the registry."""
        chain, who = self.chain, self.chain.account
        registry = chain.deploy(self.compiled["ModelRegistry"], bytes(32), who, who, who, 0, NOBODY)
        terms = (*self.market, 2 * HOUR, VERIFY_GAS, LINE)
        return registry, chain.deploy(self.compiled["ObservedRegistryFee"], registry.address, *terms)

    def decide(self, registry, pinned):
        """A version of verifier and row becomes the default."""
        chain = self.chain
        version = chain.deploy(self.compiled["ModelWithRow"], *pinned)
        chain.send(registry, "propose", version.address, chain.code_hash(version.address), pinned[2], bytes(32))
        number = chain.call(registry, "versionCount")
        chain.send(registry, "allow", number, b"")
        chain.send(registry, "proposeDefault", number)
        chain.send(registry, "makeDefault")

    def at(self, seconds):
        """A block so long after the pool's first bar began."""
        for method, parameters in (("evm_setNextBlockTimestamp", [self.start + seconds]), ("evm_mine", [])):
            answer = self.chain._web3.provider.make_request(method, parameters)
            assert "error" not in answer, answer

    def paid(self):
        return fee_of(self.chain.call(self.actor, "swap", AMOUNT))


def fee_by(model, values):
    """What the line makes of a model's own forecast."""
    return LINE[0] + LINE[1] * float(model.predict([values])[0])


def test_a_pools_own_history_sets_its_fee_and_nobody_is_trusted(chain, tmp_path):
    """ObservingHook and ObservedFee under Uniswap's manager: the row of what was traded, and a real proof of it."""
    model, circuit, row_source = observed_model()
    keys = assay.setup(circuit)
    for name in ("src", "test"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "Row.sol").write_text(row_source)
    compiled = compile_solidity(read_sources(tmp_path, paths=["Row.sol", *OBSERVED_PATHS]))
    made, row = render(keys.verifying_key.content), chain.deploy(compiled["Row"])
    market = Observed(chain, compiled, made, row)
    for bar in range(3):
        market.at(bar * HOUR + 60)
        chain.send(market.actor, "swap", AMOUNT * (bar + 1))
    assert abs(market.paid() - EXISTING) < 30
    market.at(3 * HOUR)
    known, end, words = chain.call(market.fee, "pendingRow")
    assert (known, end) == (True, market.start + 3 * HOUR)
    *_, past = chain.call(market.hook, "observe", market.pool, [0, 1])
    now, before = (one[0] for one in past)
    values = np.array([now - before, now % 1000], dtype=float)
    proof = assay.prove(keys.proving_key, values)
    assert proof.public_inputs[: len(words)] == words
    pinned = chain.send(market.fee, "settle", proof.body, proof.public_inputs)
    wanted = chain.call(market.fee, "forecastFee")
    assert abs(wanted - fee_by(model, values)) < 2
    assert abs(wanted - EXISTING) > 100
    assert abs(market.paid() - wanted) < 30
    # A fee that follows a registry does the same, and goes over to another model where it is.
    registry, fee = market.followed()
    market.decide(registry, market.pinned(made, row))
    following = chain.send(fee, "settle", proof.body, proof.public_inputs)
    assert chain.call(fee, "fee") == wanted
    assert 0 < following.gas_used - pinned.gas_used < MOST_FOLLOWING_GAS
    other, circuit, source = observed_model(seed=2)
    assert source == row_source, "of another tree of the same features"
    keys = assay.setup(circuit)
    market.decide(registry, market.pinned(render(keys.verifying_key.content), row))
    with pytest.raises(TransactionReverted, match="InvalidProof"):
        chain.send(fee, "settle", proof.body, proof.public_inputs)
    more = assay.prove(keys.proving_key, values)
    chain.send(fee, "settle", more.body, more.public_inputs)
    assert abs(chain.call(fee, "fee") - fee_by(other, values)) < 2
    assert chain.call(fee, "fee") != wanted
    chain.send(registry, "back", 1)
    chain.send(fee, "settle", proof.body, proof.public_inputs)
    assert chain.call(fee, "fee") == wanted
    # Another bar is another row, and without a forecast of it the fee falls back.
    market.at(5 * HOUR + 1)
    with pytest.raises(TransactionReverted, match="WrongWord"):
        chain.send(market.fee, "settle", proof.body, proof.public_inputs)
    assert abs(market.paid() - EXISTING) < 30
