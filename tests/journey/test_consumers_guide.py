"""docs/guides/consumers.md: its contracts and commands run, in order, on a local node."""

from __future__ import annotations

import re
from pathlib import Path

from tests.journey.registered import trees

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.node import LocalNode
from assay.task.init import init

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "consumers.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_what_the_guide_shows_happens(monkeypatch, tmp_path, capsys):
    project = tmp_path / "fee"
    init(project, "dynamic-fee", {"pool": "0x" + "1" * 40, "rpc": "$RPC_URL"})
    model, X = trees(0)
    keys = assay.setup(assay.transpile(model, calibration=X))
    keys.verifying_key.save(project / "verifying.key")
    keys.proving_key.save(project / "proving.key")
    monkeypatch.chdir(project)
    (own,) = blocks("solidity")
    (project / "contracts" / "LatestAnswer.sol").write_text(own)
    steps = blocks("python")
    assert len(steps) == 4
    names = {"row": X[0]}
    with LocalNode() as node:
        monkeypatch.setenv("RPC_URL", node.url)
        for step in steps[:3]:
            exec(compile(step, "consumers.md", "exec"), names)  # noqa: S102  our own page
        chain, fee, existing = names["chain"], names["fee"], names["existing"]
        assert chain.call(fee, "fee") != chain.call(existing, "fee")
        assert f"fee {chain.call(fee, 'fee')}, " in capsys.readouterr().out
        answer(chain, names["registry"], names["version"], keys, X[0])
        exec(compile(steps[3], "consumers.md", "exec"), names)  # noqa: S102


def answer(chain, registry, version, keys, row):
    """The consumer of one's own, with a proof bound to it."""
    from eth_abi import encode

    from assay.core.keccak import keccak256

    sources = read_sources(Path("contracts"), paths=["LatestAnswer.sol"])
    latest = chain.deploy(compile_solidity(sources)["LatestAnswer"], registry.address)
    assert chain.call(latest, "counts") is False
    context = keccak256(encode(["uint256", "address", "uint64"], [chain.chain_id, latest.address, 0]))
    proof = assay.prove(keys.proving_key, row, context=int.from_bytes(context, "big"))
    chain.send(latest, "settle", version, proof.body, proof.public_inputs)
    assert chain.call(latest, "answer") % (1 << 256) == proof.public_inputs[-2]
    assert chain.call(latest, "counts") is True
