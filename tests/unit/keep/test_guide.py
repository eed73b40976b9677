"""The runbook has an entry for every error of the service; the operator's guide has the project's own names."""

import json
import re
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

import assay.keep.errors
import assay.record.errors
import assay.rehearse.errors
import assay.release.errors
import assay.serve.errors
import assay.serve.outputs.errors
import assay.settle.errors
from assay.cli import up
from assay.keep.errors import NoEntry
from assay.keep.explain import entries, explain
from assay.keep.guide import guide
from assay.keep.watch.signal import TITLES, TODO
from assay.record import journal
from assay.record.journal import Event
from assay.task.task import Task

ROOMS = [
    assay.keep.errors,
    assay.record.errors,
    assay.rehearse.errors,
    assay.release.errors,
    assay.serve.errors,
    assay.serve.outputs.errors,
    assay.settle.errors,
    up,
]
SOURCES = Path(assay.keep.errors.__file__).parents[1]


def codes():
    """Those of classes, and those that are written into answers and transactions."""
    kinds = [one for room in ROOMS for one in vars(room).values() if isinstance(one, type)]
    found = {one.code for one in kinds if issubclass(one, assay.AssayError)}
    for room in ("settle", "serve", "keep", "rehearse"):
        for path in (SOURCES / room).rglob("*.py"):
            found |= set(re.findall(r'"((?:settle|serve|keep|rehearse)/[a-z]+(?:-[a-z]+)*)"', path.read_text()))
    found |= {f"watch/{name}" for name in TITLES}
    return {code for code in found if "/" in code and not code.startswith("cli/")}


def test_every_code_of_the_service_has_one_entry():
    there = [one.name for one in entries() if one.is_code]
    assert len(there) == len(set(there))
    assert sorted(codes() - set(there)) == []
    assert sorted(set(there) - codes()) == []
    assert TITLES.keys() == TODO.keys()
    assert all(len(one.text) > 20 for one in entries())


def test_an_entry_by_its_code():
    assert "Send it the native token" in explain("settle/out-of-funds").text
    with pytest.raises(NoEntry, match="settle/out-of-funds"):
        explain("settle/nothing")
    with pytest.raises(NoEntry, match=r"settle/\.\."):
        explain("weather/bad")


def test_a_guide_has_the_project_s_names_and_no_secret(database, release, tmp_path):
    task = Task.model_validate(
        {
            "name": "credit",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "binary"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
            "protocol": {"chain": "base"},
            "chains": {
                "base": {
                    "rpc": ["https://node.example/v2/SECRETKEY", "$BASE_RPC"],
                    "signer": "settler.json",
                    "registry": "0x" + "12" * 20,
                }
            },
        }
    )
    what = {"address": "0x" + "ab" * 20, "code_hash": "0x" + "cd" * 32, "release": release.digest}
    happened = Event("contract.deployed", "consumer", "me", what, chain="base", block=77)
    journal.append(database, "credit", happened)
    model = release.public["model_id"].removeprefix("0x")
    frozen = {"model_id": model, "reason": ""}
    journal.append(database, "credit", Event("registry.frozen", "0x12:0", "me", frozen, chain="base", block=80))
    (tmp_path / "settler.json").write_text(json.dumps({"address": "5a" * 20, "crypto": "SECRETKEY"}))
    text = guide(database, tmp_path, task)
    for said in (
        "# Running credit",
        "credit@1",
        "**decides by the record**",
        f"`{what['address']}`",
        "| 77 |",
        f"| registry | `0x{'12' * 20}` | declared in task.toml",
        "https://node.example, $BASE_RPC",
        "--chain base",
        f"| account that signs | `{to_checksum_address('0x' + '5a' * 20)}` |",
        "**frozen on base since block 80, for ever**",
        "assay release retire V --until BLOCK",
        "### settle/out-of-funds".replace("###", "####"),
    ):
        assert said in text, said
    assert "SECRETKEY" not in text
