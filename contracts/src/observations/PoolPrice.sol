// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";

/// @title The price of a Uniswap v4 pool, read from the pool manager's storage
/// @dev Uniswap's own StateLibrary imports a file under another licence than this project's; this is the one read of it
///      that is needed here.
library PoolPrice {
    /// @dev Where the pool manager keeps the mapping of its pools; the root is the lowest 160 bits of a pool's first word.
    bytes32 private constant POOLS = bytes32(uint256(6));

    /// @notice The root of the price of currency 0 in currency 1, with 96 bits behind the point; zero: no such pool.
    function rootOf(IPoolManager manager, bytes32 id) internal view returns (uint160) {
        return uint160(uint256(manager.extsload(keccak256(abi.encode(id, POOLS)))));
    }
}
