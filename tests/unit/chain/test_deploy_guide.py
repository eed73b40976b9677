"""docs/guides/deploy.md: its commands run, in order, on a local node."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from assay.chain.context import LOCAL_CHAIN_IDS
from assay.prove.keys import VerifyingKey

from .trapdoor import linear_model

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")


def test_what_the_guide_shows_happens(node, monkeypatch, tmp_path, capsys):
    model = linear_model(random.Random(1))
    pinned = {"digest": "00" * 32, "degree": 64, "kind": "development"}
    VerifyingKey.new(model.vk, srs=pinned, max_batch=1).save(tmp_path / "verifying.key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RPC_URL", node.url)
    monkeypatch.delenv("PRIVATE_KEY", raising=False)
    steps = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(steps) == 2
    names: dict[str, object] = {}
    for step in steps:
        exec(compile(step, "deploy.md", "exec"), names)  # noqa: S102  our own page
    said = capsys.readouterr().out
    assert f"model id  0x{model.digest.hex()}" in said
    # What the page says of gas is what happened, within a quarter.
    assert names["verifier"].receipt.gas_used == pytest.approx(1e6, rel=0.25)


def test_the_guide_names_the_local_chains():
    assert all(str(chain_id) in GUIDE for chain_id in LOCAL_CHAIN_IDS)
