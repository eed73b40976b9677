// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {BaseHook} from "@openzeppelin/uniswap-hooks/src/base/BaseHook.sol";
import {BaseOverrideFee} from "@openzeppelin/uniswap-hooks/src/fee/BaseOverrideFee.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {FeeLine} from "../FeeLine.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";

/// @title A Uniswap v4 hook that asks a fee source before each swap
/// @notice Pools of a dynamic fee that name this hook take what `source` says, such as RegistryFee: the fee follows the
///         proven forecasts of a registry's default model, and falls back with it. Units are the same, hundredths of a
///         basis point. What is above 10 % counts as 10 %: no source can take a trade whole, or make the pool revert for it.
/// @dev The pool manager calls a hook by the bits of its address: deploy it where the low 14 bits are 0x1080 (after
///      initialize, before swap); its constructor refuses any other. Many pools may share one hook.
contract FeeSourceHook is BaseOverrideFee {
    /// @notice Who says the fee.
    IFeeSource public immutable source;

    /// @param manager Uniswap's pool manager of the chain.
    /// @param source_ Who says the fee.
    constructor(IPoolManager manager, IFeeSource source_) BaseHook(manager) {
        // It answers, or it is not what it was taken for.
        source_.fee();
        source = source_;
    }

    /// @notice The fee that the next swap pays, in hundredths of a basis point.
    function fee() public view returns (uint24) {
        uint24 said = source.fee();
        return said > FeeLine.MAX_FEE ? FeeLine.MAX_FEE : said;
    }

    function _getFee(address, PoolKey calldata, SwapParams calldata, bytes calldata)
        internal
        view
        override
        returns (uint24)
    {
        return fee();
    }
}
