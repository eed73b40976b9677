// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Where a pool asks for its fee
interface IFeeSource {
    /// @notice The fee in force, in hundredths of a basis point (3000 is 0.30 %).
    function fee() external view returns (uint24);
}
