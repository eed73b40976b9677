// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {Observed} from "../observations/Observed.sol";
import {ConstantProductPool} from "./ConstantProductPool.sol";

/// @title The constant-product pool, with a history of its own price and volume
/// @notice Both assets have 18 decimals. Prices are of asset 0 in asset 1, in units of 10^-9; volume is of asset 0, in
///         thousandths of it, each trade's fraction left away.
contract ObservedPool is ConstantProductPool, Observed {
    uint256 private constant PRICE_UNIT = 1e9;
    uint256 private constant VOLUME_UNIT = 1e15;

    /// @param every Seconds in a bar.
    /// @param size Most bars that are kept.
    constructor(IFeeSource feeSource_, uint112 first0, uint112 first1, uint32 every, uint16 size)
        ConstantProductPool(feeSource_, first0, first1)
    {
        _start(0, first1 * PRICE_UNIT / first0, every, size);
    }

    /// @inheritdoc ConstantProductPool
    function swap(bool zeroIn, uint112 amount, uint256 least) public override returns (uint256 out) {
        out = super.swap(zeroIn, amount, least);
        _record(0, reserve1 * PRICE_UNIT / reserve0, (zeroIn ? amount : out) / VOLUME_UNIT);
    }
}
