"""What stands at an address of a real node, against a key, a release, and a registry."""

import pytest
from tests.unit.settle.conftest import anvil, node
from tests.unit.settle.test_promote import Place, compiled, held, made

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain
from assay.chain.shared import create_model
from assay.chain.solidity import render_shared
from assay.keep.address import Expected, verify
from assay.keep.errors import NothingToCompare
from assay.record import artefacts
from assay.release.key import verifying_key
from assay.settle.deploy import deployed
from assay.settle.registry import Registry

__all__ = ["anvil", "compiled", "held", "made", "node"]


@pytest.fixture
def place(tmp_path, database, node, anvil, compiled):
    return Place(tmp_path, database, node, anvil.url, compiled)


def holds(found):
    return {one.name: one.holds for one in found}


def test_the_code_is_compared_with_release_key_and_registry(place, held, database):
    place.deploy(held[0])
    address = deployed(database, "credit", "local")[0].address
    runtime = artefacts.get(database, held[0].public["parts"]["Verifier.runtime.bin"]["digest"])
    key = verifying_key(database, held[0])
    of_release = Expected(held[0].public["model_id"], key, runtime, held[0].digest)
    of_key = Expected(key.model_id, key)
    found = holds(verify(place.on, address, of_release, place.registry))
    assert found == {"code": True, "model": True, "key": None, "registry": False}  # of a development key; not proposed
    place.calls().promote(held[0])
    (code, _, _, registry) = verify(place.on, address, of_key, place.registry)
    assert (code.holds, "compiled here" in code.said) == (True, True)
    assert (registry.holds, "version 1" in registry.said, "the default" in registry.said) == (True, True, True)
    other = verifying_key(database, held[1])
    wrong = holds(verify(place.on, address, Expected(other.model_id, other), None))
    assert wrong == {"code": False, "model": False, "key": None, "registry": None}
    nothing = holds(verify(place.on, address, Expected(""), None))
    assert set(nothing.values()) == {None}
    place.calls(place.guardian).freeze(held[0])
    assert not holds(verify(place.on, address, of_release, place.registry))["registry"]
    place.node.ask("anvil_setCode", address, "0x" + runtime.hex() + "00")
    assert not holds(verify(place.on, address, of_release, None))["code"]
    with pytest.raises(NothingToCompare, match="no contract at"):
        verify(place.on, "0x" + "12" * 20, of_release, None)
    place.node.ask("anvil_setCode", address, "0x6001600055")
    assert not holds(verify(place.on, address, of_key, Registry(place.on, place.address)))["model"]


def test_a_model_of_a_shared_verifier(place, held, database, anvil):
    key, other = (verifying_key(database, one) for one in held[:2])
    chain = Chain(anvil.url)
    source = render_shared(key.content)
    shared = chain.deploy(compile_solidity({"Shared.sol": source.text})[source.name])
    model = create_model(chain, shared, key.content)
    found = verify(place.on, model.address, Expected(key.model_id, key), None)
    assert (found[0].holds, "shared verifier" in found[0].said, found[1].holds) == (True, True, True)
    assert holds(verify(place.on, model.address, Expected(other.model_id, other), None))["code"] is False
    place.node.ask("anvil_setCode", shared.address, "0x6001600055")
    assert holds(verify(place.on, model.address, Expected(key.model_id, key), None))["code"] is False
