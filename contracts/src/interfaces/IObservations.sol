// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What is known of a market at the end of a bar.
/// @param price The price after the last trade by then.
/// @param prices Sum of `price` over all bars from the first to this one; bars without a trade have the price before.
/// @param squares Sum of the squared returns of the same bars, in millionths: (price - before) * 1,000,000 / before,
///        the fraction left away, squared.
/// @param volume Sum of what was traded, as a difference to the other observations of the same answer: the last whole
///        bar has 2^48, and one before has as much less as was traded since, modulo 2^48.
struct Observation {
    uint256 price;
    uint256 prices;
    uint256 squares;
    uint256 volume;
}

/// @title A market's own history, in bars of equal time
/// @notice Whoever computes features from it needs to trust nobody: a bar that is over never changes.
interface IObservations {
    /// @notice What was known at the end of the last whole bar, and of bars before it.
    /// @param series Which market; zero where there is one.
    /// @param lags How many bars before the last whole one: 0 is that one.
    /// @return known Whether the history reaches back to each of them; if not, the rest is empty.
    /// @return end When the last whole bar ended, in seconds since 1970.
    /// @return every Seconds in a bar; zero of a market that never started.
    /// @return values What was known, for each of the lags.
    function observe(bytes32 series, uint256[] calldata lags)
        external
        view
        returns (bool known, uint256 end, uint256 every, Observation[] memory values);
}
