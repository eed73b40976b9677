from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest
from web3 import Web3

from assay.chain import node as node_module
from assay.chain import npm
from assay.chain.deploy import Chain
from assay.chain.errors import NodeFailed, ToolMissing
from assay.chain.node import LocalNode

if TYPE_CHECKING:
    from pathlib import Path


def test_a_long_chain_leaves_nothing_behind(monkeypatch, tmp_path: Path):
    home, place = tmp_path / "home", tmp_path / "place"
    for name, path in (("HOME", home), ("TMPDIR", place)):
        path.mkdir()
        monkeypatch.setenv(name, str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with LocalNode() as node:
        ask = Web3(Web3.HTTPProvider(node.url)).provider.make_request
        for _ in range(600):  # Anvil keeps some hundred states in memory, and the older ones in files
            ask("evm_mine", [])
        assert list(place.rglob("*.json"))
    assert not list(place.iterdir())
    assert not (home / ".foundry" / "anvil").exists()


def test_a_node_ends_with_the_process_that_started_it(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "from assay.chain.node import LocalNode as N; n = N(); n.start(); print(n.url, flush=True); input()"
    started = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    web3 = Web3(Web3.HTTPProvider(started.stdout.readline().strip()))
    assert web3.is_connected()
    started.kill()
    started.communicate()
    while web3.is_connected() or list(tmp_path.iterdir()):
        time.sleep(0.05)


def test_two_nodes_at_once_and_none_afterwards():
    with LocalNode() as first, LocalNode(chain_id=5) as second:
        assert first.url != second.url
        assert (Chain(first.url).chain_id, Chain(second.url).chain_id) == (31337, 5)
        process = first._process
    assert process.poll() is not None
    assert not node_module._answers(f"{second.url or first.url or 'http://127.0.0.1:1'}")


def test_the_node_ends_when_the_block_raises():
    node = LocalNode()
    processes = []

    def interrupted() -> None:
        with node:
            processes.append(node._process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert processes[0].poll() is not None


def test_a_lost_node_is_ended_by_the_garbage_collector():
    node = LocalNode()
    node.start()
    process = node._process
    del node
    assert process.wait() is not None


def test_start_and_stop_twice():
    node = LocalNode()
    node.start()
    url = node.url
    node.start()
    assert node.url == url
    node.stop()
    node.stop()


def test_an_unknown_hardfork_fails_with_anvils_words():
    with pytest.raises(NodeFailed, match="Anvil ended with code"), LocalNode(hardfork="atlantis"):
        pass


def test_a_silent_node_is_given_up(monkeypatch):
    monkeypatch.setattr(node_module, "_answers", lambda _: False)
    with pytest.raises(NodeFailed, match="did not answer within"), LocalNode(timeout=0.5):
        pass


def test_missing_packages_say_what_to_run(monkeypatch, tmp_path: Path):
    monkeypatch.setenv(npm.ENVIRONMENT, str(tmp_path))
    with pytest.raises(ToolMissing, match="npm install") as caught:
        LocalNode().start()
    assert caught.value.code == "chain/tool-missing"


def test_a_package_without_its_binary(monkeypatch, tmp_path: Path):
    package = tmp_path / "@foundry-rs" / f"anvil-{npm._platform()}"
    package.mkdir(parents=True)
    (package / "package.json").write_text("{}")
    monkeypatch.setenv(npm.ENVIRONMENT, str(tmp_path))
    with pytest.raises(ToolMissing, match="no binary"):
        npm.foundry_binary("anvil")


def test_without_node_js(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match=r"Node\.js"):
        npm.node_binary()


def test_packages_are_found_above_the_working_directory(monkeypatch, tmp_path: Path):
    (tmp_path / "node_modules" / "some-package").mkdir(parents=True)
    (tmp_path / "node_modules" / "some-package" / "package.json").write_text("{}")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.delenv(npm.ENVIRONMENT, raising=False)
    assert npm.node_modules("some-package") == tmp_path / "node_modules"


def test_anvil_runs_the_fork_that_it_is_told():
    done = subprocess.run([npm.foundry_binary("anvil"), "--version"], capture_output=True, check=True, text=True)
    assert done.stdout.startswith("anvil")
