// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Line} from "../src/FeeLine.sol";
import {ForecastFee} from "../src/examples/ForecastFee.sol";
import {ScriptedVerifier} from "./helpers/ScriptedVerifier.sol";
import {Test} from "./helpers/Vm.sol";

contract ForecastFeeTest is Test {
    bytes32 private constant MODEL = keccak256("model");
    uint256 private constant FEATURES = 3;
    // ScriptedVerifier says 44 bits: 2^44 is a forecast of one.
    int256 private constant ONE = 1 << 44;
    address private constant FEED = address(0xfeed);
    uint24 private constant FIRST = 3000;
    uint64 private constant AGE = 1 days;

    ScriptedVerifier private _verifier;
    ForecastFee private _source;

    function setUp() public {
        _verifier = new ScriptedVerifier(MODEL, uint32(FEATURES), 1, false);
        _source = new ForecastFee(_verifier, _code(), MODEL, FEED, FIRST, AGE, _line());
    }

    function testTheFeeIsALineWithinBounds() public view {
        assertEq(_source.feeFor(0), 500);
        assertEq(_source.feeFor(ONE / 64), 3625);
        assertEq(_source.feeFor(ONE / 10), 10_000);
        assertEq(_source.feeFor(-ONE), 400);
        assertEq(_source.feeFor(int256(1) << 190), 10_000);
        assertEq(_source.feeFor(-(int256(1) << 190)), 400);
    }

    function testFuzzNoForecastMakesTheFeeRevert(int256 forecast, uint64 slope, uint8 scale) public {
        vm.assume(scale <= 150);
        ScriptedVerifier other = new ScriptedVerifier(MODEL, 3, 1, false);
        other.scale(scale);
        Line memory line = Line(500, slope, 400, 10_000);
        bytes32 code = address(other).codehash;
        ForecastFee source = new ForecastFee(other, code, MODEL, FEED, FIRST, AGE, line);
        uint24 fee = source.feeFor(forecast);
        if (fee < 400 || fee > 10_000) revert("out of bounds");
        assertEq(source.feeFor(type(int256).min), slope == 0 ? 500 : 400);
        assertEq(source.feeFor(type(int256).max), slope == 0 ? 500 : 10_000);
        other.scale(151);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.UnsuitableModel.selector));
        new ForecastFee(other, code, MODEL, FEED, FIRST, AGE, line);
    }

    function testFuzzAForecastGrowsOld(uint32 wait, uint32 later, int64 forecast) public {
        vm.warp(1_000_000);
        _post([uint256(1), 2, 3]);
        uint256[] memory words = _accept("proof", [uint256(1), 2, 3], forecast);
        vm.warp(1_000_000 + uint256(wait));
        if (wait > AGE) {
            vm.expectRevert(abi.encodeWithSelector(ForecastFee.RowTooOld.selector, 1_000_000));
            _source.settle("proof", words);
            return;
        }
        _source.settle("proof", words);
        vm.warp(1_000_000 + uint256(wait) + later);
        // Counted from the row, not from its proof: whoever proves cannot stretch a forecast.
        assertEq(_source.fee(), uint256(wait) + later > AGE ? FIRST : _source.feeFor(forecast));
    }

    function testFuzzOnlyTheReviewedCode(bytes32 other) public {
        vm.assume(other != _code());
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.WrongCode.selector, other, _code()));
        new ForecastFee(_verifier, other, MODEL, FEED, FIRST, AGE, _line());
    }

    function testFuzzTheFeeGrowsWithTheForecast(int128 low, int128 high) public view {
        vm.assume(low <= high);
        if (_source.feeFor(low) > _source.feeFor(high)) revert("a higher forecast gave a lower fee");
    }

    function testFuzzAProofSettlesThePostedRow(uint256[3] memory row, int64 forecast, bytes memory proof) public {
        _post(row);
        assertEq(_source.fee(), FIRST);
        uint256[] memory words = _accept(proof, row, forecast);
        vm.expectEmit();
        emit ForecastFee.FeeSet(1, _digest(row), forecast, _source.feeFor(forecast));
        _source.settle(proof, words);
        assertEq(_source.fee(), _source.feeFor(forecast));

        vm.expectRevert(abi.encodeWithSelector(ForecastFee.RowNotPending.selector, bytes32(0), _digest(row)));
        _source.settle(proof, words);
    }

    function testFuzzOnlyThePendingRow(uint256[3] memory posted, uint256[3] memory other) public {
        vm.assume(_digest(posted) != _digest(other));
        _post(posted);
        uint256[] memory words = _accept("proof", other, 1);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.RowNotPending.selector, _digest(posted), _digest(other)));
        _source.settle("proof", words);
    }

    function testFuzzAnInvalidProofChangesNothing(uint256[3] memory row, int64 forecast) public {
        _post(row);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.InvalidProof.selector));
        _source.settle("proof", _words(row, forecast));
        assertEq(_source.fee(), FIRST);
        assertEq(uint256(_source.pendingRow()), uint256(_digest(row)));
    }

    function testRefusesStrangersAndWrongLengths() public {
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.NotTheFeed.selector, address(this)));
        _source.postRow(new uint256[](3));
        vm.prank(FEED);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.WrongLength.selector, 3, 2));
        _source.postRow(new uint256[](2));
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.WrongLength.selector, 5, 4));
        _source.settle("proof", new uint256[](4));
        vm.expectRevert(
            abi.encodeWithSelector(ForecastFee.RowNotPending.selector, bytes32(0), keccak256(new bytes(96)))
        );
        _source.settle("proof", new uint256[](5));
    }

    function testRefusesUnsuitableModelsAndLines() public {
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.WrongModel.selector, bytes32(0), MODEL));
        new ForecastFee(_verifier, _code(), bytes32(0), FEED, FIRST, AGE, _line());
        ScriptedVerifier two = new ScriptedVerifier(MODEL, 3, 2, false);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.UnsuitableModel.selector));
        new ForecastFee(two, address(two).codehash, MODEL, FEED, FIRST, AGE, _line());
        ScriptedVerifier hidden = new ScriptedVerifier(MODEL, 3, 1, true);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.UnsuitableModel.selector));
        new ForecastFee(hidden, address(hidden).codehash, MODEL, FEED, FIRST, AGE, _line());
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.BadLine.selector));
        new ForecastFee(_verifier, _code(), MODEL, FEED, FIRST, AGE, Line(0, 0, 2, 1));
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.BadLine.selector));
        new ForecastFee(_verifier, _code(), MODEL, FEED, FIRST, AGE, Line(0, 0, 0, 100_001));
    }

    function _code() private view returns (bytes32) {
        return address(_verifier).codehash;
    }

    function _line() private pure returns (Line memory) {
        return Line({base: 500, slope: 200_000, lowest: 400, highest: 10_000});
    }

    function _post(uint256[3] memory row) private {
        vm.prank(FEED);
        _source.postRow(_words(row, 0, FEATURES));
    }

    function _accept(bytes memory proof, uint256[3] memory row, int256 forecast) private returns (uint256[] memory) {
        uint256[] memory words = _words(row, forecast);
        _verifier.accept(proof, words);
        return words;
    }

    function _words(uint256[3] memory row, int256 forecast) private pure returns (uint256[] memory) {
        return _words(row, forecast, FEATURES + 2);
    }

    function _words(uint256[3] memory row, int256 forecast, uint256 length)
        private
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](length);
        for (uint256 i = 0; i < FEATURES; i++) {
            words[i] = row[i];
        }
        if (length > FEATURES) words[FEATURES] = uint256(forecast);
    }

    function _digest(uint256[3] memory row) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(row));
    }
}
