"""The contract that `assay init` writes beside task.toml: it compiles as it stands, with nothing missing or spare."""

import re
from pathlib import Path

import pytest

from assay.chain.compile import compile_solidity, read_sources
from assay.settle.contracts import build
from assay.settle.network import POSTS, selector
from assay.task.errors import ProjectExists
from assay.task.init import init
from assay.task.task import Task

POOL = {"pool": "0x" + "1" * 40, "rpc": "http://localhost:8545"}
CASES = [("dynamic-fee", POOL, "PoolFee", "ExistingFee"), ("credit-score", {}, "BorrowerLimit", "ExistingLimit")]
SOURCES = Path(__file__).parents[3] / "contracts" / "src"


@pytest.mark.parametrize(("template", "answers", "consumer", "existing"), CASES)
def test_the_consumer_compiles(template, answers, consumer, existing, tmp_path):
    written = init(tmp_path / "own", template, answers)
    root = tmp_path / "own" / "contracts"
    file = f"{consumer}.sol"
    assert root / file in written
    sources = read_sources(root, paths=[file])
    compiled = compile_solidity(sources)
    assert {consumer, existing, "ModelRegistry"} <= set(compiled)
    if template == "dynamic-fee":
        # The live loop posts rows where the consumer's code has a function for it.
        posts = [bytes.fromhex("63" + selector(function)[2:]) for function in POSTS]
        own = (consumer, "ObservedPoolFee", "ObservedRegistryPoolFee")
        takes = {name: any(one in compiled[name].runtime for one in posts) for name in own}
        assert takes == {consumer: True, "ObservedPoolFee": False, "ObservedRegistryPoolFee": False}
        assert "ModelWithRow" in compiled
    # All that is written is imported, and is Assay's own as it is tested.
    ours = {name for name in sources if not name.startswith("@")}
    assert ours == {path.relative_to(root).as_posix() for path in root.rglob("*.sol")}
    for name in ours - {file}:
        assert sources[name] == (SOURCES / name.removeprefix("assay/")).read_text()


def test_the_contract_has_the_tasks_numbers(tmp_path):
    init(tmp_path / "own", "dynamic-fee", POOL | {"fee_percent": "0.05", "bar": "1h", "slope": "0.25"})
    text = (tmp_path / "own" / "contracts" / "PoolFee.sol").read_text()
    assert "FixedFee(500)" in text
    assert "slope: 250000," in text
    assert "\n            28800,\n" in text
    assert "{" + "{" not in text


def test_a_folder_of_contracts_is_not_overwritten(tmp_path):
    (tmp_path / "own" / "contracts").mkdir(parents=True)
    with pytest.raises(ProjectExists, match="contracts is there already"):
        init(tmp_path / "own", "credit-score", {})
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["contracts"]


def test_a_template_without_a_protocol_has_none(tmp_path):
    (tmp_path / "rows.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    init(tmp_path / "own", "blank", {"file": str(tmp_path / "rows.csv"), "target": "y"})
    assert not (tmp_path / "own" / "contracts").exists()


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("consumers.md", ["existing", "registry", "consumer"]),
        ("inputs.md", ["existing", "registry", "row", "model", "consumer"]),
    ],
)
def test_what_the_guides_say_of_deploying_fits_the_contracts(page, names, tmp_path):
    guide = (SOURCES.parents[1] / "docs" / "guides" / page).read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    init(tmp_path / "own", "dynamic-fee", POOL)
    (tmp_path / "own" / "contracts" / "Row.sol").write_text("pragma solidity ^0.8.24; contract Row {}")
    file = tmp_path / "own" / "task.toml"
    file.write_text(file.read_text() + "\n[chains.local]\nid = 31337\n" + snippet)
    specs = Task.load(tmp_path / "own").chains["local"].contracts
    assert [spec.name for spec in specs] == names
    known = dict.fromkeys(("account", "verifier", *names), "0x" + "11" * 20)
    known |= dict.fromkeys(("code_hash", "model_id", "row.code_hash"), "0x" + "22" * 32)
    for spec, built in zip(specs, build(tmp_path / "own", specs), strict=True):
        assert built.creation(known).startswith(built.compiled.bytecode)
        assert len(built.creation(known)) == len(built.compiled.bytecode) + 32 * len(spec.arguments)
