// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {IUnlockCallback} from "@uniswap/v4-core/src/interfaces/callback/IUnlockCallback.sol";
import {LPFeeLibrary} from "@uniswap/v4-core/src/libraries/LPFeeLibrary.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {PoolId} from "@uniswap/v4-core/src/types/PoolId.sol";
import {ModifyLiquidityParams, SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {PoolPrice} from "../../src/observations/PoolPrice.sol";

/// @notice A token of which its maker has all.
contract Token is ERC20 {
    constructor() ERC20("Token", "T") {
        _mint(msg.sender, 1e36);
    }
}

/// @notice Opens a pool of two tokens of its own with a hook, gives it liquidity, and trades in it.
contract PoolActor is IUnlockCallback {
    using PoolPrice for IPoolManager;

    uint160 private constant PRICE_OF_ONE = 1 << 96;

    IPoolManager public immutable manager;
    PoolKey private _key;

    constructor(IPoolManager manager_) {
        manager = manager_;
    }

    /// @notice Open the pool at a price of one, with liquidity everywhere.
    function open(IHooks hook, uint24 fee) external {
        (address a, address b) = (address(new Token()), address(new Token()));
        if (a > b) (a, b) = (b, a);
        _key = PoolKey(Currency.wrap(a), Currency.wrap(b), fee, 60, hook);
        manager.initialize(_key, PRICE_OF_ONE);
        manager.unlock(abi.encode(true, int256(1e24)));
    }

    /// @notice Sell so much of token 0.
    /// @return bought Of token 1.
    function swap(uint256 amount) external returns (uint256 bought) {
        bytes memory result = manager.unlock(abi.encode(false, -int256(amount)));
        return abi.decode(result, (uint256));
    }

    /// @notice Trade there and back in liquidity that is there for this transaction alone: no capital is needed.
    function forge(int256 liquidity) external {
        manager.unlock(abi.encode(true, liquidity, true));
    }

    /// @notice The flag of a dynamic fee.
    function dynamicFee() external pure returns (uint24) {
        return LPFeeLibrary.DYNAMIC_FEE_FLAG;
    }

    /// @inheritdoc IUnlockCallback
    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        require(msg.sender == address(manager), "not the manager");
        (bool provides, int256 amount) = abi.decode(data, (bool, int256));
        BalanceDelta delta;
        if (data.length > 64) {
            delta = _forged(amount);
        } else if (provides) {
            (delta,) = manager.modifyLiquidity(_key, ModifyLiquidityParams(-887_220, 887_220, amount, 0), "");
        } else {
            delta = manager.swap(_key, SwapParams(true, amount, TickMath.MIN_SQRT_PRICE + 1), "");
        }
        uint256 taken = _settle(_key.currency0, delta.amount0());
        return abi.encode(taken + _settle(_key.currency1, delta.amount1()));
    }

    function _forged(int256 liquidity) private returns (BalanceDelta delta) {
        (delta,) = manager.modifyLiquidity(_key, ModifyLiquidityParams(-60, 60, liquidity, 0), "");
        uint160 before = manager.rootOf(PoolId.unwrap(_key.toId()));
        delta = delta + manager.swap(_key, SwapParams(true, -1e35, TickMath.getSqrtPriceAtTick(-2)), "");
        delta = delta + manager.swap(_key, SwapParams(false, -1e35, before), "");
        (BalanceDelta back,) = manager.modifyLiquidity(_key, ModifyLiquidityParams(-60, 60, -liquidity, 0), "");
        delta = delta + back;
    }

    function _settle(Currency currency, int128 delta) private returns (uint256 taken) {
        if (delta < 0) {
            manager.sync(currency);
            Token(Currency.unwrap(currency)).transfer(address(manager), uint128(-delta));
            manager.settle();
        } else if (delta > 0) {
            taken = uint128(delta);
            manager.take(currency, address(this), taken);
        }
    }
}
