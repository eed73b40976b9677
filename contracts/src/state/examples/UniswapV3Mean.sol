// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Header, StateProof} from "../StateProof.sol";
import {StateWalk} from "../StateWalk.sol";

/// @title The mean tick of a Uniswap v3 pool over a window that ends at one block
/// @notice A pool keeps a ring of observations: the sum of tick times seconds. Four slots of one block give the mean over
///         any window that the ring reaches back to: the state, the newest observation, and the two on both sides of the
///         window's beginning. They are the only ones that fit, so whoever sends the proof chooses nothing.
/// @dev Slots as Uniswap's documentation and any storage explorer have them. 0: sqrtPriceX96 (160 bits), tick (24),
///      observationIndex (16), observationCardinality (16). From 8 on one observation each: time (32 bits), sum of ticks
///      (56), another sum (160), whether it is written (8). The mean is rounded down; the pool's own `observe` rounds
///      what lies between two observations otherwise, so that a mean may differ by one.
library UniswapV3Mean {
    uint256 private constant RING = 8;
    bytes32 private constant STATE = bytes32(0);

    /// @param age Seconds before the block.
    /// @param sum Of tick times seconds until then.
    struct Observation {
        uint256 age;
        int256 sum;
    }

    /// @notice The observation was never written.
    error NotWritten(uint256 index);
    /// @notice The window does not begin between the two observations.
    error NotAround(uint256 window, uint256 olderAge, uint256 newerAge);
    error NoWindow();

    /// @param proof Of the slots in their order: state, newest observation, older one, newer one; of the first two only
    ///        if nothing was observed within the window.
    /// @param oldest The oldest block that is taken.
    /// @param window Seconds.
    /// @param older Number of the last observation that is not within the window; of no meaning if none is.
    function meanTick(StateProof calldata proof, uint256 oldest, address pool, uint256 window, uint256 older)
        internal
        view
        returns (Header memory head, int256 mean)
    {
        if (window == 0) revert NoWindow();
        head = StateWalk.header(proof.header, oldest);
        bytes32 root = StateWalk.storageRoot(head.stateRoot, pool, proof.account);
        uint256 state = StateWalk.word(root, STATE, proof.slots[0]);
        int256 tick = int24(uint24(state >> 160));
        Observation memory newest = _observation(root, uint16(state >> 184), proof.slots[1], head.timestamp);
        int256 end = newest.sum + tick * int256(newest.age);
        // As far as nothing was observed the tick was this one all the time.
        int256 start = newest.age >= window
            ? newest.sum + tick * int256(newest.age - window)
            : _between(root, proof, head.timestamp, window, older, uint16(state >> 200));
        mean = _floor(end - start, int256(window));
    }

    function _between(
        bytes32 root,
        StateProof calldata proof,
        uint256 time,
        uint256 window,
        uint256 index,
        uint256 cardinality
    ) private pure returns (int256) {
        if (index >= cardinality) revert NotWritten(index);
        Observation memory older = _observation(root, index, proof.slots[2], time);
        Observation memory newer = _observation(root, (index + 1) % cardinality, proof.slots[3], time);
        if (older.age < window || newer.age >= window) revert NotAround(window, older.age, newer.age);
        return older.sum + _floor((newer.sum - older.sum) * int256(older.age - window), int256(older.age - newer.age));
    }

    function _observation(bytes32 root, uint256 index, bytes calldata proof, uint256 time)
        private
        pure
        returns (Observation memory)
    {
        uint256 word = StateWalk.word(root, bytes32(RING + index), proof);
        if (word >> 248 == 0) revert NotWritten(index);
        unchecked {
            // The pool keeps time in 32 bits.
            return Observation(uint32(uint32(time) - uint32(word)), int56(uint56(word >> 32)));
        }
    }

    function _floor(int256 a, int256 b) private pure returns (int256 quotient) {
        quotient = a / b;
        if (a % b != 0 && (a < 0) != (b < 0)) --quotient;
    }
}
