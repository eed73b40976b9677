// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../../src/FeeLine.sol";
import {ObservedFee} from "../../src/consumers/ObservedFee.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {HistoryRow} from "../helpers/HistoryRow.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {Series} from "../helpers/Series.sol";
import {Test} from "../helpers/Vm.sol";

contract ObservedFeeTest is Test {
    // ScriptedVerifier says 44 bits: 2^44 is a forecast of one.
    int256 private constant ONE = 1 << 44;
    bytes32 private constant MODEL = keccak256("model");
    uint24 private constant EXISTING = 3000;
    uint40 private constant AGE = 1 days;
    uint256 private constant BEGAN = 500_000 * 3600;

    Series private _series;
    ScriptedVerifier private _verifier;
    ObservedFee private _fee;
    FixedFee private _existing;

    function setUp() public {
        vm.warp(BEGAN);
        _series = new Series(1e12, 3600, 10);
        _verifier = new ScriptedVerifier(MODEL, 2, 1, false);
        _existing = new FixedFee(EXISTING);
        _fee = _consumer(_model(), AGE, _line());
    }

    function testFuzzTheContractsOwnRowIsWhatCounts(int256 forecast, bytes memory proof) public {
        uint256[] memory words = _bar(proof, forecast);
        uint24 wanted = FeeLine.feeAt(_line(), forecast, 44);
        vm.expectEmit();
        emit ObservedFee.FeeSet(BEGAN + 3 hours, keccak256(abi.encodePacked(words[0], words[1])), forecast, wanted);
        _fee.settle(proof, words);
        assertEq(_fee.fee(), wanted);
        // A bar counts once, whoever comes with what.
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.SettledAlready.selector, BEGAN + 3 hours));
        _fee.settle(proof, words);
    }

    function testFuzzAnyOtherRowIsRefused(uint256 index, uint256 word) public {
        uint256[] memory words = _bar("proof", ONE);
        index %= 2;
        vm.assume(word != words[index]);
        uint256 own = words[index];
        words[index] = word;
        _verifier.accept("proof", words);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongWord.selector, index, own, word));
        _fee.settle("proof", words);
    }

    function testAProofOfTheBarBeforeIsRefusedWhenABarIsOver() public {
        uint256[] memory words = _bar("proof", ONE);
        _series.trade(2e12, 7);
        // Trades of the running bar change nothing.
        (,, uint256[] memory pending) = _fee.pendingRow();
        assertEq(pending[0], words[0]);
        vm.warp(BEGAN + 4 hours);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongWord.selector, 0, 2e12, 1.1e12));
        _fee.settle("proof", words);
    }

    function testWithoutEnoughHistoryThereIsNoRowAndTheExistingProcessDecides() public {
        vm.warp(BEGAN + 2 hours);
        (bool known,,) = _fee.pendingRow();
        if (known) revert("known");
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.NoRow.selector));
        _fee.settle("proof", new uint256[](4));
        assertEq(_fee.fee(), EXISTING);
        // No trade in a block before the settlement takes its row away, whatever it says.
        uint256[] memory words = _bar("proof", ONE);
        _series.trade(type(uint256).max, type(uint256).max);
        (known,,) = _fee.pendingRow();
        if (!known) revert("unknown");
        // A bar that ends with a price that does not fit makes the history start anew.
        vm.warp(block.timestamp + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.NoRow.selector));
        _fee.settle("proof", words);
        assertEq(_fee.fee(), EXISTING);
    }

    function testAnOldForecastIsNone() public {
        uint256[] memory words = _bar("proof", ONE);
        _fee.settle("proof", words);
        assertEq(_fee.fee(), 10_000);
        vm.warp(BEGAN + 3 hours + AGE);
        assertEq(_fee.fee(), 10_000);
        vm.warp(BEGAN + 3 hours + AGE + 1);
        assertEq(_fee.fee(), EXISTING);
    }

    function testProofsThatAreNone() public {
        uint256[] memory words = _bar("proof", ONE);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.InvalidProof.selector));
        _fee.settle("other", words);
        words[2] = uint256(ONE + 1);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.InvalidProof.selector));
        _fee.settle("proof", words);
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongLength.selector, 4, 3));
        _fee.settle("proof", new uint256[](3));
    }

    function testRefusesWhatWasNotReviewed() public {
        ObservedFee.Model memory model = _model();
        bytes32 code = model.verifierCode;
        model.verifierCode = 0;
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongCode.selector, bytes32(0), code));
        _consumer(model, AGE, _line());
        model = _model();
        code = model.rowCode;
        model.rowCode = 0;
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongCode.selector, bytes32(0), code));
        _consumer(model, AGE, _line());
        model = _model();
        model.modelId = 0;
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.WrongModel.selector, bytes32(0), MODEL));
        _consumer(model, AGE, _line());
        model = _model();
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.BadTerms.selector));
        _consumer(model, 0, _line());
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.BadTerms.selector));
        _consumer(model, AGE, Line(0, 1, 3, 2));
        model.verifier = new ScriptedVerifier(MODEL, 2, 1, true);
        model.verifierCode = address(model.verifier).codehash;
        vm.expectRevert(abi.encodeWithSelector(ObservedFee.UnsuitableModel.selector));
        _consumer(model, AGE, _line());
    }

    /// @dev Three bars with a trade, and the words that the verifier takes for the last of them.
    function _bar(bytes memory proof, int256 forecast) private returns (uint256[] memory words) {
        vm.warp(BEGAN + 2 hours + 5);
        _series.trade(1.1e12, 42);
        vm.warp(BEGAN + 3 hours);
        words = new uint256[](4);
        (words[0], words[1], words[2], words[3]) = (1.1e12, 42, uint256(forecast), 7);
        _verifier.accept(proof, words);
    }

    function _model() private returns (ObservedFee.Model memory) {
        HistoryRow row = new HistoryRow(false);
        return ObservedFee.Model(_verifier, address(_verifier).codehash, MODEL, row, address(row).codehash);
    }

    function _consumer(ObservedFee.Model memory model, uint40 age, Line memory line) private returns (ObservedFee) {
        return new ObservedFee(model, _series, 0, _existing, age, line);
    }

    function _line() private pure returns (Line memory) {
        return Line({base: 400, slope: 1e6, lowest: 400, highest: 10_000});
    }
}
