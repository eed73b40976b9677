// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Numbers that share a slot
library StateBits {
    /// @notice A number of 256 bits that int256 does not hold: there is no row.
    error BeyondInt256(uint256 value);

    /// @notice The number in a slot's bits.
    /// @param word What the slot holds.
    /// @param from Where the number begins, counted from the lowest bit.
    /// @param bits How many bits it has, from 1 on; with `from` at most 256.
    function unsigned(uint256 word, uint256 from, uint256 bits) internal pure returns (uint256) {
        return word << (256 - from - bits) >> (256 - bits);
    }

    /// @notice The same in two's complement.
    function signed(uint256 word, uint256 from, uint256 bits) internal pure returns (int256) {
        return int256(word << (256 - from - bits)) >> (256 - bits);
    }

    /// @notice The unsigned number to compute with.
    function whole(uint256 word, uint256 from, uint256 bits) internal pure returns (int256) {
        uint256 value = unsigned(word, from, bits);
        if (value >= 1 << 255) revert BeyondInt256(value);
        return int256(value);
    }
}
