// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FixedLimit} from "../../src/examples/FixedLimit.sol";
import {EntityDraw} from "../../src/experiments/EntityDraw.sol";
import {SplitLimit} from "../../src/experiments/SplitLimit.sol";
import {Stoppable} from "../../src/experiments/Stoppable.sol";
import {Test} from "../helpers/Vm.sol";

contract EntityDrawTest is Test {
    bytes32 private constant PLAN = keccak256("plan");
    bytes32 private constant SECRET = keccak256("secret");
    uint64 private constant MIX = 100;
    uint64 private constant START = 200;
    uint64 private constant END = 5000;

    EntityDraw private _draw;
    SplitLimit private _limit;

    function setUp() public {
        vm.roll(10);
        bytes32 hidden = keccak256(abi.encode(SECRET));
        _draw = new EntityDraw(PLAN, hidden, 250_000, MIX, START, END, address(this));
        _limit = new SplitLimit(_draw, new FixedLimit(1), new FixedLimit(2));
    }

    function testFuzzAnEntityIsThatOfItsDraw(address entity) public {
        bytes32 mixed = _drawn();
        vm.roll(START - 1);
        assertEq(_limit.limitOf(entity), 1);
        bytes32 seed = keccak256(abi.encode(PLAN, SECRET, mixed));
        bool isNew = uint256(keccak256(abi.encode(seed, entity))) % 1_000_000 < 250_000;
        vm.roll(START);
        assertEq(_limit.limitOf(entity), isNew ? 2 : 1);
        vm.roll(END);
        assertEq(_limit.limitOf(entity), isNew ? 2 : 1);
        vm.roll(END + 1);
        assertEq(_limit.limitOf(entity), 1);
    }

    function testFuzzOnlyTheSecretIsShown(bytes32 other) public {
        vm.assume(other != SECRET);
        vm.roll(MIX + 1);
        _draw.mix();
        vm.expectRevert(abi.encodeWithSelector(EntityDraw.NotTheSecret.selector));
        _draw.reveal(other);
    }

    function testNothingIsMixedBeforeItsBlockNorLongAfter() public {
        vm.roll(MIX);
        vm.expectRevert(abi.encodeWithSelector(EntityDraw.NotYet.selector, MIX));
        _draw.mix();
        vm.expectRevert(abi.encodeWithSelector(EntityDraw.NotYet.selector, MIX));
        _draw.reveal(SECRET);
        vm.roll(uint256(MIX) + 257);
        vm.expectRevert(abi.encodeWithSelector(EntityDraw.TooLate.selector, MIX));
        _draw.mix();
    }

    function testASecretShownAfterTheStartDrawsNothing() public {
        vm.roll(MIX + 1);
        _draw.mix();
        vm.roll(START + 1);
        vm.expectRevert(abi.encodeWithSelector(EntityDraw.TooLate.selector, START));
        _draw.reveal(SECRET);
        assertEq(_limit.limitOf(address(1)), 1);
    }

    function testTheGuardianStopsItForEver() public {
        _drawn();
        vm.roll(START);
        address entity = address(1);
        while (!_draw.isNew(entity)) {
            entity = address(uint160(entity) + 1);
        }
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(Stoppable.NotTheGuardian.selector, address(0xbad)));
        _draw.stop("mine");
        _draw.stop("defaults passed the guardrail");
        assertEq(_limit.limitOf(entity), 1);
    }

    function _drawn() private returns (bytes32 mixed) {
        vm.roll(MIX + 1);
        mixed = blockhash(MIX);
        _draw.mix();
        _draw.reveal(SECRET);
    }
}
