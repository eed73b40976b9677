// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {Header, StateProof} from "../../src/state/StateProof.sol";
import {StateRow} from "../../src/state/StateRow.sol";
import {StateWalk} from "../../src/state/StateWalk.sol";
import {Keeper} from "./Keeper.sol";

/// @notice Both readers of proven words behind calls, and their parts, for tests and for measuring their gas.
contract Rows {
    function row(StateProof calldata proof, uint256 oldest, address account, bytes32[] memory slots)
        external
        view
        returns (Header memory, uint256[] memory)
    {
        return StateRow.words(proof, oldest, account, slots);
    }

    function walk(StateProof calldata proof, uint256 oldest, address account, bytes32[] memory slots)
        external
        view
        returns (Header memory, uint256[] memory)
    {
        return StateWalk.words(proof, oldest, account, slots);
    }

    function walkOrZero(StateProof calldata proof, address account, bytes32 slot) external view returns (uint256) {
        Header memory head = StateWalk.header(proof.header, 0);
        return StateWalk.wordOrZero(StateWalk.storageRoot(head.stateRoot, account, proof.account), slot, proof.slots[0]);
    }

    /// @notice Gas of each part: header, account, one slot.
    function gasOf(StateProof calldata proof, address account, bytes32 slot, bool ours)
        external
        view
        returns (uint256 header, uint256 accounts, uint256 word)
    {
        uint256 start = gasleft();
        Header memory head = ours ? StateWalk.header(proof.header, 0) : StateRow.header(proof.header, 0);
        uint256 after1 = gasleft();
        bytes32 root = ours
            ? StateWalk.storageRoot(head.stateRoot, account, proof.account)
            : StateRow.storageRoot(head.stateRoot, account, proof.account);
        uint256 after2 = gasleft();
        ours ? StateWalk.word(root, slot, proof.slots[0]) : StateRow.word(root, slot, proof.slots[0]);
        return (start - after1, after1 - after2, after2 - gasleft());
    }
}
