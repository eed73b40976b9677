// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Header, StateProof} from "../StateProof.sol";
import {StateWalk} from "../StateWalk.sol";

/// @title The mean price of a Uniswap v2 pair between two blocks, from two slots of each
/// @notice A pair adds price times seconds up, in `price0CumulativeLast`, whenever it is first used in a block. What it
///         would add until a block's end follows from its reserves; so the difference of two blocks, divided by the
///         seconds between them, is the mean over all of them, and nobody need have looked in between.
/// @dev Slots as Uniswap's documentation and any storage explorer have them: 8 is reserve0 and reserve1 (112 bits each) and
///      the time of the last change (32 bits), 9 is price0CumulativeLast. Prices are token1 for one token0, with 112
///      bits behind the point.
library UniswapV2Mean {
    bytes32 internal constant RESERVES = bytes32(uint256(8));
    bytes32 internal constant CUMULATIVE = bytes32(uint256(9));
    /// @notice Prices are integers times 2^-112.
    uint256 internal constant SCALE = 1 << 112;

    error NoTimeBetween(uint256 from, uint256 to);
    error NoReserves(uint256 number);

    /// @notice The slots whose proofs are needed, in their order.
    function slots() internal pure returns (bytes32[] memory both) {
        both = new bytes32[](2);
        (both[0], both[1]) = (RESERVES, CUMULATIVE);
    }

    /// @notice The pair's sum at the end of a block; only differences mean anything, modulo 2^256.
    function cumulative(StateProof calldata proof, uint256 oldest, address pair)
        internal
        view
        returns (Header memory head, uint256 sum)
    {
        uint256[] memory words;
        (head, words) = StateWalk.words(proof, oldest, pair, slots());
        uint256 reserve0 = uint112(words[0]);
        uint256 reserve1 = uint112(words[0] >> 112);
        if (reserve0 == 0 || reserve1 == 0) revert NoReserves(head.number);
        unchecked {
            // The pair keeps time in 32 bits and lets the sum overflow; so does this.
            uint256 since = uint32(uint32(head.timestamp) - uint32(words[0] >> 224));
            sum = words[1] + (reserve1 << 112) / reserve0 * since;
        }
    }

    /// @notice The mean of two blocks' sums, times 2^112, rounded down.
    function mean(Header memory from, uint256 sumFrom, Header memory to, uint256 sumTo)
        internal
        pure
        returns (uint256)
    {
        if (to.timestamp <= from.timestamp) revert NoTimeBetween(from.timestamp, to.timestamp);
        unchecked {
            return (sumTo - sumFrom) / (to.timestamp - from.timestamp);
        }
    }
}
