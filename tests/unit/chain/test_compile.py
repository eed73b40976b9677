from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from assay.chain import compile as compile_module
from assay.chain import kept as kept_module
from assay.chain import npm
from assay.chain.compile import compile_apart, compile_solidity, read_sources
from assay.chain.errors import CompileFailed, ContractTooLarge, ToolMissing

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\n"
COUNTER = HEAD + "contract Counter { uint256 public count; function up() external { count++; } }"


def test_compiles_and_measures():
    contract = compile_solidity({"Counter.sol": COUNTER})["Counter"]
    assert {entry["name"] for entry in contract.abi} == {"count", "up"}
    assert 0 < contract.runtime_size < len(contract.bytecode)


def test_the_same_source_gives_the_same_bytes():
    first = compile_solidity({"a/Counter.sol": COUNTER})["Counter"]
    second = compile_solidity({"b/Counter.sol": COUNTER + "\n// a comment\n"})["Counter"]
    assert first.bytecode == second.bytecode


def test_texts_that_name_their_contracts_alike_are_compiled_apart():
    other = COUNTER.replace("count++", "count += 2")
    made = compile_apart([COUNTER, other, HEAD])
    wanted = [compile_solidity({"Counter.sol": text})["Counter"].bytecode for text in (COUNTER, other)]
    assert [contracts["Counter"].bytecode for contracts in made[:2]] == wanted
    assert wanted[0] != wanted[1]
    assert made[2] == {}


def test_imports_are_resolved_among_the_sources():
    user = HEAD + 'import {Counter} from "./Counter.sol"; contract User { Counter public counter = new Counter(); }'
    assert set(compile_solidity({"x/Counter.sol": COUNTER, "x/User.sol": user})) == {"Counter", "User"}
    with pytest.raises(CompileFailed, match="not found"):
        compile_solidity({"x/User.sol": user})


def test_only_what_is_wanted_is_made_and_is_the_same():
    sources = {"x/Counter.sol": COUNTER, "y/Other.sol": HEAD + "contract Other { uint256 public other = 1; }"}
    every = compile_solidity(sources)
    assert compile_solidity(sources, only=["Other"]) == {"Other": every["Other"]}
    assert compile_solidity(sources, only=["Nobody"]) == {}


def test_the_same_sources_are_compiled_once(monkeypatch):
    source = {"Counter.sol": COUNTER.replace("count", "compiledOnce")}
    first = compile_solidity(source)
    monkeypatch.setattr(subprocess, "run", None)
    assert compile_solidity(source) == first
    with pytest.raises(TypeError):
        compile_solidity(source, runs=1)


def test_what_was_compiled_is_kept_for_other_processes(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    source = {"Counter.sol": COUNTER.replace("count", "keptForOthers")}
    first = compile_solidity(source)
    with pytest.raises(CompileFailed):
        compile_solidity({"Bad.sol": HEAD + "contract {"})
    (kept,) = (tmp_path / "solc").iterdir()  # what was refused is not kept

    compile_module._printed.cache_clear()  # as in another process
    monkeypatch.setattr(subprocess, "run", None)
    assert compile_solidity(source) == first
    monkeypatch.undo()

    # A damaged file is not believed, and is made again.
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    whole = kept.read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b"60", b"61"), b"\xff\n{}"):
        kept.write_bytes(damaged)
        compile_module._printed.cache_clear()
        assert compile_solidity(source) == first
        assert kept.read_bytes() == whole


def test_the_newest_are_kept_and_where_nothing_can_be_nothing_fails(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(kept_module, "MOST", 2)
    for number, name in enumerate("abc"):
        kept_module.keep(tmp_path / name, name)
        os.utime(tmp_path / name, (number, number))
    kept_module.keep(tmp_path / "d", "d")
    assert {path.name for path in tmp_path.iterdir()} == {"c", "d"}
    kept_module.keep(tmp_path / "d" / "below-a-file", "e")


def test_interfaces_have_no_code():
    assert compile_solidity({"I.sol": HEAD + "interface I { function f() external; }"}) == {}


def test_an_error_is_one_sentence_with_solcs_words():
    with pytest.raises(CompileFailed, match="ParserError") as caught:
        compile_solidity({"Bad.sol": HEAD + "contract {"})
    assert caught.value.code == "chain/compile-failed"


def test_too_large_for_a_chain():
    body = "".join(
        f"function f{i}() external pure returns (string memory) {{ return '{'x' * 900}{i}'; }}" for i in range(40)
    )
    with pytest.raises(ContractTooLarge, match="24,576"):
        compile_solidity({"Big.sol": HEAD + f"contract Big {{ {body} }}"})


def test_missing_compiler(monkeypatch, tmp_path: Path):
    monkeypatch.setenv(npm.ENVIRONMENT, str(tmp_path))
    with pytest.raises(ToolMissing, match="solc"):
        compile_solidity({"Counter.sol": COUNTER})


def test_a_broken_compiler(monkeypatch, tmp_path: Path):
    (tmp_path / "solc").mkdir()
    (tmp_path / "solc" / "package.json").write_text('{"name": "solc", "main": "absent.js"}')
    monkeypatch.setenv(npm.ENVIRONMENT, str(tmp_path))
    with pytest.raises(ToolMissing, match="does not run"):
        compile_solidity({"Counter.sol": COUNTER})


def test_read_sources(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "A.sol").write_text("A")
    (tmp_path / "B.sol").write_text("B")
    assert read_sources(tmp_path) == {"B.sol": "B", "a/A.sol": "A"}
    assert read_sources(tmp_path, paths=["B.sol"]) == {"B.sol": "B"}


def test_what_a_source_imports_is_read_too(tmp_path: Path):
    contracts = Path(__file__).parents[3] / "contracts" / "src"
    found = read_sources(contracts, paths=["registry/ModelRegistry.sol"])
    assert {"registry/IGate.sol", "interfaces/IAssayVerifier.sol"} < set(found)
    assert "@openzeppelin/contracts/utils/Context.sol" in found
    assert "ModelRegistry" in compile_solidity(found)
    (tmp_path / "A.sol").write_text('import {\n    B\n} from "./b/B.sol";\n// import "./nowhere.sol" is a comment\n')
    with pytest.raises(CompileFailed, match=r"A\.sol imports b/B\.sol, which is not there"):
        read_sources(tmp_path)
    (tmp_path / "A.sol").write_text('import "../outside.sol";')
    with pytest.raises(CompileFailed, match=r"outside\.sol, which is not there"):
        read_sources(tmp_path)
