// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {PoolId} from "@uniswap/v4-core/src/types/PoolId.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FeeSourceHook} from "../consumers/FeeSourceHook.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {Observed} from "./Observed.sol";
import {PoolPrice} from "./PoolPrice.sol";

/// @title A Uniswap v4 hook that asks a fee source before each swap, and keeps its pools' history
/// @notice With ObservedFee as the source the fee follows a proven forecast, and no trusted party is left. The history of a
///         pool is the series of its id. Prices are of currency 0 in currency 1, smallest units of both, times
///         `priceUnit`; volume is of currency 0 by `volumeUnit`; fractions are left away.
///         Volume costs gas alone here, any number of it: whoever adds liquidity, trades there and back in it and takes it
///         away again, in one transaction and without capital, pays the fee to themselves. Use none of it as a feature.
/// @dev Deploy it where the low 14 bits of the address are 0x10c0 (after initialize, before swap, after swap).
contract ObservingHook is FeeSourceHook, Observed {
    using PoolPrice for IPoolManager;

    /// @notice A price of one is this.
    uint256 public immutable priceUnit;
    /// @notice So much of currency 0 is a volume of one.
    uint256 public immutable volumeUnit;
    /// @notice Seconds in a bar.
    uint32 public immutable every;
    /// @notice Most bars that are kept of a pool.
    uint16 public immutable size;

    error BadUnit();

    constructor(
        IPoolManager manager,
        IFeeSource source_,
        uint256 priceUnit_,
        uint256 volumeUnit_,
        uint32 every_,
        uint16 size_
    ) FeeSourceHook(manager, source_) {
        if (priceUnit_ == 0 || priceUnit_ > 1e36 || volumeUnit_ == 0) revert BadUnit();
        priceUnit = priceUnit_;
        volumeUnit = volumeUnit_;
        every = every_;
        size = size_;
    }

    /// @notice The hook's functions that the pool manager calls.
    function getHookPermissions() public pure override returns (Hooks.Permissions memory permissions) {
        permissions = super.getHookPermissions();
        permissions.afterSwap = true;
    }

    function _afterInitialize(address sender, PoolKey calldata key, uint160 root, int24 tick)
        internal
        override
        returns (bytes4)
    {
        _start(PoolId.unwrap(key.toId()), _price(root), every, size);
        return super._afterInitialize(sender, key, root, tick);
    }

    function _afterSwap(address, PoolKey calldata key, SwapParams calldata, BalanceDelta delta, bytes calldata)
        internal
        override
        returns (bytes4, int128)
    {
        bytes32 id = PoolId.unwrap(key.toId());
        int256 amount = delta.amount0();
        _record(id, _price(poolManager.rootOf(id)), uint256(amount < 0 ? -amount : amount) / volumeUnit);
        return (this.afterSwap.selector, 0);
    }

    /// @dev The square of the root, which has 96 bits behind the point; what is beyond 2^256 is no price.
    function _price(uint160 root) private view returns (uint256) {
        // Below 2^192, so that the product with the unit and the quotient by 2^128 are exact in 512 bits.
        uint256 squared = Math.mulDiv(root, root, 1 << 64);
        return squared >= 1 << 248 ? 0 : Math.mulDiv(squared, priceUnit, 1 << 128);
    }
}
