// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ConstantProductPool} from "../src/examples/ConstantProductPool.sol";
import {FixedFee} from "../src/examples/FixedFee.sol";
import {Test} from "./helpers/Vm.sol";

contract ConstantProductPoolTest is Test {
    uint112 private constant RESERVE0 = 1000 ether;
    uint112 private constant RESERVE1 = 2_000_000 ether;
    uint24 private constant FEE = 3000;

    ConstantProductPool private _pool;

    event Swap(
        address indexed sender,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out,
        address indexed to
    );
    event Sync(uint112 reserve0, uint112 reserve1);

    function setUp() public {
        _pool = new ConstantProductPool(new FixedFee(FEE), RESERVE0, RESERVE1);
    }

    function testAnswersByHand() public {
        // 10 in, 9.97 after the fee: 2,000,000 * 9.97 / 1,009.97 = 19,743.15...
        uint256 out = _pool.swap(true, 10 ether, 0);
        assertEq(out / 1e16, 1_974_316);
        assertEq(_pool.reserve0(), RESERVE0 + 10 ether);
        assertEq(_pool.reserve1(), RESERVE1 - out);
    }

    function testFuzzTheProductNeverShrinks(bool zeroIn, uint112 amount, uint24 fee) public {
        vm.assume(fee <= 1_000_000);
        _pool = new ConstantProductPool(new FixedFee(fee), RESERVE0, RESERVE1);
        amount = amount % 1e32 + 1;
        _pool.swap(zeroIn, amount, 0);
        uint256 before = uint256(RESERVE0) * RESERVE1;
        if (uint256(_pool.reserve0()) * _pool.reserve1() < before) revert("the product shrank");
    }

    function testFuzzThereAndBackCostsTheTrader(bool zeroIn, uint112 amount) public {
        amount = amount % 1e24 + 1;
        uint256 out = _pool.swap(zeroIn, amount, 0);
        vm.assume(out > 0);
        uint256 back = _pool.swap(!zeroIn, uint112(out), 0);
        if (back >= amount) revert("a round trip was free");
    }

    function testFuzzAHigherFeeGivesLess(uint112 amount, uint24 low, uint24 high) public view {
        vm.assume(low <= high && high <= 1_000_000);
        uint256 cheap = _pool.quote(amount, RESERVE0, RESERVE1, low);
        uint256 dear = _pool.quote(amount, RESERVE0, RESERVE1, high);
        if (dear > cheap) revert("a higher fee gave more");
    }

    function testSaysWhatHappened() public {
        uint256 out = _pool.quote(5 ether, RESERVE1, RESERVE0, FEE);
        vm.expectEmit();
        emit Sync(uint112(RESERVE0 - out), RESERVE1 + 5 ether);
        vm.expectEmit();
        emit Swap(address(this), 0, 5 ether, out, 0, address(this));
        assertEq(_pool.swap(false, 5 ether, out), out);
    }

    function testRefuses() public {
        vm.expectRevert(abi.encodeWithSelector(ConstantProductPool.NothingIn.selector));
        _pool.swap(true, 0, 0);
        uint256 out = _pool.quote(1 ether, RESERVE0, RESERVE1, FEE);
        vm.expectRevert(abi.encodeWithSelector(ConstantProductPool.TooLittleOut.selector, out + 1, out));
        _pool.swap(true, 1 ether, out + 1);
        FixedFee fee = new FixedFee(FEE);
        vm.expectRevert(abi.encodeWithSelector(ConstantProductPool.EmptyReserve.selector));
        new ConstantProductPool(fee, 0, 1);
    }
}
