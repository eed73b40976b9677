// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IFeeSource} from "../interfaces/IFeeSource.sol";

/// @title A fee that never changes: how pools decide today
contract FixedFee is IFeeSource {
    /// @inheritdoc IFeeSource
    uint24 public immutable fee;

    constructor(uint24 fee_) {
        fee = fee_;
    }
}
