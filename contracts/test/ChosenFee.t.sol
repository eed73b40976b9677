// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ChosenFee} from "../src/examples/ChosenFee.sol";
import {FixedFee} from "../src/examples/FixedFee.sol";
import {IFeeSource} from "../src/interfaces/IFeeSource.sol";
import {Test} from "./helpers/Vm.sol";

contract ChosenFeeTest is Test {
    address private constant OWNER = address(0xb0b);

    FixedFee private _first;
    FixedFee private _second;
    ChosenFee private _chosen;

    event SourceChosen(IFeeSource indexed before, IFeeSource indexed source);

    function setUp() public {
        _first = new FixedFee(3000);
        _second = new FixedFee(500);
        _chosen = new ChosenFee(OWNER, _first);
    }

    function testItSaysWhatTheChosenSourceSays() public {
        assertEq(_chosen.fee(), 3000);
        vm.expectEmit();
        emit SourceChosen(_first, _second);
        vm.prank(OWNER);
        _chosen.choose(_second);
        assertEq(_chosen.fee(), 500);
    }

    function testOnlyTheOwnerChooses() public {
        vm.expectRevert(abi.encodeWithSelector(ChosenFee.NotTheOwner.selector, address(this)));
        _chosen.choose(_second);
        assertEq(_chosen.fee(), 3000);
    }

    function testWhatSaysNoFeeIsNotChosen() public {
        vm.prank(OWNER);
        vm.expectRevert("");
        _chosen.choose(IFeeSource(address(this)));
        assertEq(_chosen.fee(), 3000);
    }

    function testItDoesNotChooseItself() public {
        vm.prank(OWNER);
        (bool chosen,) =
            address(_chosen).call{gas: 300_000}(abi.encodeCall(ChosenFee.choose, (IFeeSource(address(_chosen)))));
        require(!chosen, "it was chosen");
        assertEq(_chosen.fee(), 3000);
    }
}
