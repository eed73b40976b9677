// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ILimitSource} from "../interfaces/ILimitSource.sol";

/// @title The same limit for everybody
contract FixedLimit is ILimitSource {
    uint256 private immutable _limit;

    constructor(uint256 limit) {
        _limit = limit;
    }

    /// @inheritdoc ILimitSource
    function limitOf(address) external view returns (uint256) {
        return _limit;
    }
}
