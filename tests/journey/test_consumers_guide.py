"""docs/guides/consumers.md and retraining.md: their contracts and commands run, in order, on a local node."""

from __future__ import annotations

import re
from pathlib import Path

from tests.journey.registered import trees

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.node import LocalNode
from assay.task.init import init

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


def blocks(guide, language):
    return re.findall(rf"```{language}\n(.*?)```", (GUIDES / guide).read_text(encoding="utf-8"), re.DOTALL)


def test_what_the_guide_shows_happens(monkeypatch, tmp_path, capsys):
    project = tmp_path / "fee"
    init(project, "dynamic-fee", {"pool": "0x" + "1" * 40, "rpc": "$RPC_URL"})
    model, X = trees(0)
    keys = assay.setup(assay.transpile(model, calibration=X))
    keys.verifying_key.save(project / "verifying.key")
    keys.proving_key.save(project / "proving.key")
    monkeypatch.chdir(project)
    (own,) = blocks("consumers.md", "solidity")
    (project / "contracts" / "LatestAnswer.sol").write_text(own)
    steps = blocks("consumers.md", "python")
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


def test_a_retrained_model_shares_its_verifier(monkeypatch, tmp_path, capsys, assay_command):
    made = {}
    for name, seed in (("first", 0), ("second", 1)):
        model, X = trees(seed)
        made[name] = assay.setup(assay.transpile(model, calibration=X))
        made[name].verifying_key.save(tmp_path / name / "verifying.key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVATE_KEY", raising=False)
    names = {}
    with LocalNode() as node:
        monkeypatch.setenv("RPC_URL", node.url)
        for step in blocks("retraining.md", "python"):
            exec(compile(step, "retraining.md", "exec"), names)  # noqa: S102  our own page
        said = capsys.readouterr().out
        assert len(re.findall(r"model +0x\w{40}, [\d,]+ gas", said)) == 2
        done = assay_command("solidity", "first", "--out", "Shared.sol", "--shared", cwd=tmp_path)
        assert "Shared.sol: shared verifier contract" in done.out, done.err
        assert (tmp_path / "Shared.sol").read_text() == names["source"].text
        chain, shared = names["chain"], names["shared"]
        # A tenth of what the shared one took, for each model; and each verifies its own proofs alone.
        assert names["second"].receipt.gas_used < shared.receipt.gas_used / 10
        for name, other in (("first", "second"), ("second", "first")):
            proof = assay.prove(made[name].proving_key, X[0])
            assert assay.verify(made[name].verifying_key, proof)
            assert chain.call(names[name], "verify", proof.body, proof.public_inputs) is True
            assert chain.call(names[other], "verify", proof.body, proof.public_inputs) is False
