"""A Uniswap v4 pool whose fee a proof changes: the hook under Uniswap's own pool manager, run from its bytecode."""

from __future__ import annotations

import json

import numpy as np
import pytest
from eth_abi import encode
from tests.journey.registered import CONTRACTS, EXISTING, NOBODY, PATHS, STEP, Fee, Version, trees

from assay.chain.compile import CompiledContract, compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.npm import node_modules
from assay.core.keccak import keccak256

ROOT = CONTRACTS.parent
HOOK_PATHS = ["src/consumers/FeeSourceHook.sol", "test/helpers/PoolActor.sol", *(f"src/{path}" for path in PATHS)]
FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The factory of CREATE2 that stands at this address on every large chain, and on Anvil."""
BITS = 0x1080
"""After initialize, before swap: what a hook's address says of it."""
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


def deployed_hook(chain, contract, manager, source) -> Deployment:
    """Look for a salt that gives the address its bits; deploy there."""
    code = contract.bytecode + encode(["address", "address"], [manager.address, source.address])
    digest = keccak256(code)
    start = b"\xff" + bytes.fromhex(FACTORY[2:])
    for number in range(1 << 20):
        salt = number.to_bytes(32, "big")
        address = keccak256(start + salt + digest)[12:]
        if int.from_bytes(address[-2:], "big") & 0x3FFF == BITS:
            break
    receipt = chain.send_calldata(Deployment("factory", FACTORY, [], None), salt + code)
    return Deployment("FeeSourceHook", "0x" + address.hex(), contract.abi, receipt)


def fee_of(bought):
    """Millionths that a sale of AMOUNT paid, from what it bought in a pool at a price of one."""
    net = bought + bought * bought // LIQUIDITY
    return round(1_000_000 * (AMOUNT - net) / AMOUNT)


def test_nothing_that_is_compiled_is_of_another_licence(sources):
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
