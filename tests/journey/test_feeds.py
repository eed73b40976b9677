"""docs/guides/feeds.md: a private row, attested by two of three signers, settled by a real proof on a real node."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest
from eth_account import Account
from tests.journey.registered import CONTRACTS, NOBODY, PATHS, VERIFY_GAS, WEEK, Version, trees

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import TransactionReverted
from assay.chain.node import LocalNode
from assay.cli.main import run

GUIDE = CONTRACTS.parents[1] / "docs" / "guides" / "feeds.md"
NAMES = ("anna", "ben", "eve")
BORROWER, OTHER = "0x" + "11" * 20, "0x" + "22" * 20


@pytest.fixture(scope="module")
def node():
    with LocalNode() as running:
        yield running


def keystores(folder):
    """Three signers' keystore files, made quickly; their addresses, rising."""
    found = []
    for number, name in enumerate(NAMES, 1):
        key = Account.from_key(number.to_bytes(32, "big"))
        (folder / f"{name}.json").write_text(json.dumps(key.encrypt("sesame", kdf="pbkdf2", iterations=10)))
        (folder / f"{name}.pass").write_text("sesame\n")
        for file in (f"{name}.json", f"{name}.pass"):
            (folder / file).chmod(0o600)
        found.append(key.address)
    return sorted(found, key=lambda address: int(address, 16))


def commands():
    """The guide's commands, one by one."""
    blocks = re.findall(r"```bash\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def test_a_hidden_row_is_still_the_attested_one(node, tmp_path, monkeypatch, capsys):
    chain = Chain(node.url)
    who = chain.account
    compiled = compile_solidity(read_sources(CONTRACTS, paths=[*PATHS, "feeds/SignedFeed.sol"]))
    registry = chain.deploy(compiled["ModelRegistry"], bytes(32), who, who, who, 0, NOBODY)
    model, X = trees(2)
    version = Version(chain, registry, model, X, inputs="private")
    version.decide(chain, registry)
    margins = model.decision_function(X)
    good, bad = X[int(np.argmax(margins))], X[int(np.argmin(margins))]
    existing = chain.deploy(compiled["FixedLimit"], 100)
    feed = chain.deploy(compiled["SignedFeed"], keystores(tmp_path), 2, NOBODY, 0)
    tiers = [(int(1e18 * margins.mean()), 5_000)]
    credit = chain.deploy(
        compiled["CreditLimit"], registry.address, feed.address, existing.address, WEEK, VERIFY_GAS, False, tiers
    )

    # The page's commands, as they stand there.
    monkeypatch.chdir(tmp_path)
    version.keys.proving_key.save(tmp_path / "keys" / "proving.key")
    (tmp_path / "row.json").write_text(json.dumps({"inputs": [good.tolist()]}))
    opening = bytes(range(32))
    (tmp_path / "opening.key").write_bytes(opening)
    names = {"$FEED": feed.address, "$CONSUMER": credit.address, "$BORROWER": BORROWER}
    said = []
    for command in commands():
        words = [names.get(word, word) for word in shlex.split(command)]
        assert words[0] == "assay"
        assert run(words[1:]) == 0, capsys.readouterr().err
        said.append(capsys.readouterr().out)
    calldata = said[-1].strip()
    commitment = version.prove(good, opening=opening).public_inputs[:2]
    assert "signed by nobody yet" in said[1]
    assert hex(commitment[0]) in said[2]
    assert len(json.loads((tmp_path / "signed.json").read_text())["signatures"]) == 2

    # Not by one signature, not for another, not twice; by the two, brought by anybody.
    def refused(data):
        with pytest.raises(TransactionReverted) as caught:
            chain.send_calldata(feed, data)
        return caught.value.reason

    call = bytes.fromhex(calldata[2:])
    assert refused(call.replace(bytes.fromhex(BORROWER[2:]), bytes.fromhex(OTHER[2:]))) != ""
    chain.send_calldata(feed, call)
    assert refused(call) == "PeriodNotNew"

    # Alice settles by the attested row; a better proof of another row is not the attested one.
    context = chain.call(credit, "contextOf", BORROWER, 1)
    for row, blinding in ((bad, opening), (good, b"x" * 32)):
        other = version.prove(row, opening=blinding, context=context)
        with pytest.raises(TransactionReverted) as caught:
            chain.send(credit, "settle", BORROWER, other.body, other.public_inputs)
        assert caught.value.reason == "RowNotPending"
    proof = version.prove(good, opening=opening, context=context)
    assert chain.call(credit, "limitOf", BORROWER) == 100
    chain.send(credit, "settle", BORROWER, proof.body, proof.public_inputs)
    assert chain.call(credit, "limitOf", BORROWER) == 5_000
    # The row itself is nowhere on the chain: two words of commitment, a score, a context.
    assert len(proof.public_inputs) == 4
    # A proof that hides its row is not signed as one that shows it.
    assert run([*shlex.split("feed row proof.json --chain-id 31337 --period 1 --out no.json --feed"),
                feed.address, "--consumer", credit.address]) == 2  # fmt: skip
    assert "no subject is named" in capsys.readouterr().err
    assert not (tmp_path / "no.json").exists()
