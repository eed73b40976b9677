// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice How a forecast becomes a fee; fees in hundredths of a basis point.
/// @param base Fee at a forecast of zero.
/// @param slope Fee that a forecast of one adds.
/// @param lowest No fee is below this.
/// @param highest No fee is above this.
struct Line {
    uint24 base;
    uint64 slope;
    uint24 lowest;
    uint24 highest;
}

/// @title A fee as a straight line of a forecast
library FeeLine {
    /// @notice Highest fee that may be set (10 %).
    uint24 internal constant MAX_FEE = 100_000;

    /// @notice Most scale bits of a model: with slope and forecast in range, no product leaves 256 bits.
    uint256 internal constant MAX_SCALE_BITS = 150;

    /// @notice Whether the bounds are bounds, and within what a fee may be.
    function isSound(Line memory line) internal pure returns (bool) {
        return line.lowest <= line.highest && line.highest <= MAX_FEE;
    }

    /// @notice base + slope * forecast, within the bounds.
    /// @param forecast The forecast's integer, of any size: no model can make this revert.
    /// @param scaleBits The forecast is its integer times 2^-scaleBits; at most MAX_SCALE_BITS.
    function feeAt(Line memory line, int256 forecast, uint256 scaleBits) internal pure returns (uint24) {
        // Where the slope is at least one, 2^32 is beyond every bound already; where it is zero, nothing counts.
        int256 far = int256(1) << (scaleBits + 32);
        if (forecast > far) forecast = far;
        if (forecast < -far) forecast = -far;
        int256 sloped = int256(uint256(line.slope)) * forecast / int256(1 << scaleBits);
        int256 wanted = int256(uint256(line.base)) + sloped;
        if (wanted < int256(uint256(line.lowest))) return line.lowest;
        if (wanted > int256(uint256(line.highest))) return line.highest;
        return uint24(uint256(wanted));
    }
}
