// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

/// @notice Keeps words where it is told to: what the layouts of others are rebuilt with.
contract Keeper {
    function keep(bytes32[] calldata slots, uint256[] calldata words) external {
        for (uint256 i = 0; i < slots.length; ++i) {
            (bytes32 slot, uint256 word) = (slots[i], words[i]);
            assembly ("memory-safe") {
                sstore(slot, word)
            }
        }
    }
}
