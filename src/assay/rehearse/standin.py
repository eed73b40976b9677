"""In place of the contract that makes a market's rows: a rehearsal's chain has no market, and its rows are given.

A consumer that makes its rows itself (ObservedFee, ObservedRegistryFee) settles a proof of its own row alone. The
project's `Row.sol` reads the market's history, of which the rehearsal's chain has none; the contract that stands in for
it, deployed and pinned in its place, gives each row of the test set when its period comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.chain.row import WRITTEN
from assay.core import files
from assay.core.paths import place
from assay.settle.network import selector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assay.serve.models import Model
    from assay.settle.network import Network
    from assay.task.chains import ContractSpec

_SOURCE, _NAME = "contracts/RehearsedRow.sol", "RehearsedRow"
_SHOW = "show(uint256,uint256[])"
_CODE = """// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The row of the period that is rehearsed, whoever's history is asked for
contract RehearsedRow {
    uint256 private _end;
    uint256[] private _words;

    function show(uint256 end, uint256[] calldata words) external {
        _end = end;
        _words = words;
    }

    /// @dev As IRow.
    function row(address, bytes32) external view returns (bool known, uint256 end, uint256[] memory words) {
        return (_end != 0, _end, _words);
    }
}
"""


@dataclass(frozen=True)
class StandIn:
    """The contract on the rehearsal's chain, and the model in whose words it gives rows."""

    on: Network
    address: str
    model: Model

    def show(self, values: list[Any]) -> None:
        """Give a period's row from the next block on; its bar ends with the newest one."""
        from eth_abi.abi import encode

        words = [int(word) for word in self.model.words([values])[0]]
        data = selector(_SHOW) + encode(["uint256", "uint256[]"], [self.on.node.time(), words]).hex()
        anyone = self.on.node.ask("eth_accounts")[-1]  # not who signs for the service: its nonces have no gap
        self.on.node.ask("eth_sendTransaction", {"from": anyone, "to": self.address, "data": data})
        self.on.node.ask("anvil_mine", "0x1")


def replaced(specs: Sequence[ContractSpec], folder: Path, said: list[str]) -> tuple[tuple[ContractSpec, ...], str]:
    """The contracts with the stand-in for the one that `assay row` wrote, and its name; empty if there is none."""
    found: list[Any] = []
    name = ""
    for one in specs:
        path = place(folder, one.source.partition(":")[0])
        if not (path.is_file() and WRITTEN in path.read_text(encoding="utf-8", errors="replace")):
            found.append(one)
            continue
        name = one.name
        found.append(one.model_copy(update={"source": f"{_SOURCE}:{_NAME}"}))
        files.write(folder / _SOURCE, _CODE)
        said.append(
            f"{name} is replaced by a contract that gives each row as it comes: {one.source} reads the market's "
            "history, which is not here, so that neither the rows that it makes nor its gas are rehearsed"
        )
    return tuple(found), name
