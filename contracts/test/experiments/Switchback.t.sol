// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FixedFee} from "../../src/examples/FixedFee.sol";
import {Stoppable} from "../../src/experiments/Stoppable.sol";
import {Switchback} from "../../src/experiments/Switchback.sol";
import {SwitchbackFee} from "../../src/experiments/SwitchbackFee.sol";
import {Test} from "../helpers/Vm.sol";

contract SwitchbackTest is Test {
    bytes32 private constant PLAN = keccak256("plan");
    bytes32 private constant SECRET = keccak256("secret");
    uint32 private constant PERIODS = 12;
    uint32 private constant LENGTH = 50;
    uint32 private constant GRACE = 10;
    uint64 private constant START = 1000;
    uint24 private constant OLD = 3000;
    uint24 private constant NEW = 500;

    Switchback private _draw;
    SwitchbackFee private _fee;

    function setUp() public {
        vm.roll(10);
        _draw = new Switchback(PLAN, _link(0), 500_000, START, LENGTH, PERIODS, GRACE, address(this));
        _fee = new SwitchbackFee(_draw, new FixedFee(OLD), new FixedFee(NEW));
    }

    function testFuzzAPeriodIsThatOfItsDrawUntilItEnds(uint8 late) public {
        vm.assume(late < GRACE);
        for (uint32 period = 1; period <= PERIODS; ++period) {
            uint256 first = _first(period);
            vm.roll(first + late);
            assertEq(_fee.fee(), OLD);
            _draw.open(_link(period));
            bytes32 drawn = keccak256(abi.encode(PLAN, period, _link(period), blockhash(first - 1)));
            uint24 expected = uint256(drawn) % 1_000_000 < 500_000 ? NEW : OLD;
            assertEq(_fee.fee(), expected);
            vm.roll(first + LENGTH - 1);
            assertEq(_fee.fee(), expected);
        }
        vm.roll(_first(PERIODS + 1));
        assertEq(_fee.fee(), OLD);
        vm.expectRevert(abi.encodeWithSelector(Switchback.NotRunning.selector));
        _draw.open(_link(PERIODS));
    }

    function testFuzzOnlyThePeriodsOwnLinkOpensIt(bytes32 link, uint8 which) public {
        uint32 period = uint32(which) % PERIODS + 1;
        vm.assume(link != _link(period));
        vm.roll(_first(period));
        vm.expectRevert(abi.encodeWithSelector(Switchback.NotTheLink.selector, link));
        _draw.open(link);
        bytes32 other = _link(period == PERIODS ? period - 1 : period + 1);
        vm.expectRevert(abi.encodeWithSelector(Switchback.NotTheLink.selector, other));
        _draw.open(other);
    }

    function testFuzzAWithheldLinkLeavesThePeriodToTheExistingProcess(uint16 skipped) public {
        for (uint32 period = 1; period <= PERIODS; ++period) {
            if (skipped >> period & 1 == 1) {
                vm.roll(_first(period) + GRACE);
                vm.expectRevert(abi.encodeWithSelector(Switchback.TooLate.selector, period));
                _draw.open(_link(period));
                assertEq(_fee.fee(), OLD);
            } else {
                vm.roll(_first(period));
                _draw.open(_link(period));
                assertEq(uint256(_draw.opened()), period);
            }
        }
    }

    function testALinkOpensOnce() public {
        vm.roll(START);
        _draw.open(_link(1));
        vm.expectRevert(abi.encodeWithSelector(Switchback.AlreadyOpened.selector, uint32(1)));
        _draw.open(_link(1));
    }

    function testNothingOpensBeforeTheStart() public {
        vm.roll(START - 1);
        vm.expectRevert(abi.encodeWithSelector(Switchback.NotRunning.selector));
        _draw.open(_link(1));
    }

    function testTheGuardianStopsItForEver() public {
        // Open periods until one is the new arm's.
        uint32 period = 0;
        while (_fee.fee() == OLD) {
            vm.roll(_first(++period));
            _draw.open(_link(period));
        }
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(Stoppable.NotTheGuardian.selector, address(0xbad)));
        _draw.stop("mine");
        _draw.stop("the worst block cost more than was agreed");
        assertEq(_fee.fee(), OLD);
        vm.roll(_first(period + 1));
        vm.expectRevert(abi.encodeWithSelector(Switchback.NotRunning.selector));
        _draw.open(_link(period + 1));
    }

    function testFuzzBadTermsAreRefused(uint32 share, uint64 start, uint32 length, uint32 periods, uint32 grace)
        public
    {
        bool good = share > 0 && share < 1_000_000 && start > block.number && length > 0 && periods > 0 && grace > 0
            && grace <= 256 && grace <= length;
        bytes32 anchor = _link(0);
        if (!good) vm.expectRevert(abi.encodeWithSelector(Stoppable.BadTerms.selector));
        new Switchback(PLAN, anchor, share, start, length, periods, grace, address(this));
    }

    function _first(uint32 period) private pure returns (uint256) {
        return uint256(START) + uint256(LENGTH) * (period - 1);
    }

    function _link(uint32 period) private pure returns (bytes32 link) {
        link = SECRET;
        for (uint32 number = period; number < PERIODS; ++number) {
            link = keccak256(abi.encode(link));
        }
    }
}
