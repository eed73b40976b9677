// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Where a lender asks how much a borrower may owe
interface ILimitSource {
    /// @notice The borrower's limit in force, in the lender's unit.
    function limitOf(address borrower) external view returns (uint256);
}
