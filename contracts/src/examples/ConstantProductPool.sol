// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IFeeSource} from "../interfaces/IFeeSource.sol";

/// @title A small constant-product pool whose fee comes from elsewhere
/// @notice Two assets, 0 and 1, and trades that keep (reserve in + amount after the fee) * (reserve out - out)
///         at least what the product of the reserves was. The fee stays in the pool, with whoever provided it.
/// @dev For experiments about fees: anyone may trade any amount and no token is moved. The arithmetic and the
///      events are those of Uniswap's second version, so that what reads this pool reads those.
contract ConstantProductPool {
    /// @notice One in units of the fee.
    uint256 public constant FEE_UNIT = 1_000_000;

    /// @notice Who says what the fee is.
    IFeeSource public immutable feeSource;
    /// @notice What the pool has of asset 0, in its smallest unit.
    uint112 public reserve0;
    /// @notice What the pool has of asset 1, in its smallest unit.
    uint112 public reserve1;

    /// @notice A trade.
    event Swap(
        address indexed sender,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out,
        address indexed to
    );
    /// @notice The reserves after a trade.
    event Sync(uint112 reserve0, uint112 reserve1);

    error EmptyReserve();
    error NothingIn();
    error TooLittleOut(uint256 least, uint256 actual);

    /// @param feeSource_ Who says what the fee is.
    /// @param first0 First reserve of asset 0.
    /// @param first1 First reserve of asset 1; first1 / first0 is the first price of asset 0.
    constructor(IFeeSource feeSource_, uint112 first0, uint112 first1) {
        if (first0 == 0 || first1 == 0) revert EmptyReserve();
        feeSource = feeSource_;
        reserve0 = first0;
        reserve1 = first1;
        emit Sync(first0, first1);
    }

    /// @notice Give `amount` of one asset and take what the product allows of the other.
    /// @param zeroIn Whether asset 0 is given, else asset 1.
    /// @param amount What is given, the fee included.
    /// @param least The trade is refused if it would give less.
    /// @return out What the trader gets.
    function swap(bool zeroIn, uint112 amount, uint256 least) public virtual returns (uint256 out) {
        if (amount == 0) revert NothingIn();
        (uint112 mine, uint112 other) = zeroIn ? (reserve0, reserve1) : (reserve1, reserve0);
        out = quote(amount, mine, other, feeSource.fee());
        if (out < least) revert TooLittleOut(least, out);

        // Checked where it grows; what is taken is always below the reserve.
        mine += amount;
        other -= uint112(out);
        (reserve0, reserve1) = zeroIn ? (mine, other) : (other, mine);
        emit Sync(reserve0, reserve1);
        if (zeroIn) emit Swap(msg.sender, amount, 0, 0, out, msg.sender);
        else emit Swap(msg.sender, 0, amount, out, 0, msg.sender);
    }

    /// @notice What a trade of `amount` gives, rounded in favour of the pool; each argument below 2^112.
    function quote(uint256 amount, uint256 reserveIn, uint256 reserveOut, uint256 fee) public pure returns (uint256) {
        uint256 afterFee = amount * (FEE_UNIT - fee);
        return reserveOut * afterFee / (reserveIn * FEE_UNIT + afterFee);
    }
}
