// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RegimeFeePool} from "../src/examples/RegimeFeePool.sol";
import {ScriptedVerifier} from "./helpers/ScriptedVerifier.sol";
import {Test} from "./helpers/Vm.sol";

contract RegimeFeePoolTest is Test {
    bytes32 private constant MODEL = keccak256("model");
    uint256 private constant FEATURES = 3;
    uint24 private constant CALM = 500;
    uint24 private constant TURBULENT = 3000;
    address private constant FEED = address(0xfeed);
    uint64 private constant AGE = 1 days;

    ScriptedVerifier private _verifier;
    RegimeFeePool private _pool;

    function setUp() public {
        _verifier = new ScriptedVerifier(MODEL, uint32(FEATURES), 1, false);
        _pool = new RegimeFeePool(_verifier, _code(), MODEL, FEED, AGE, CALM, TURBULENT);
    }

    function testStartsCalm() public view {
        assertEq(_pool.fee(), CALM);
        assertEq(_pool.day(), 0);
    }

    function testFuzzSignOfTheMarginSetsTheFee(uint256[3] memory row, int256 margin, bytes memory proof) public {
        _post(row);
        uint256[] memory words = _accept(proof, row, margin);
        _pool.settle(proof, words);
        assertEq(_pool.fee(), margin > 0 ? TURBULENT : CALM);
        assertEq(uint256(_pool.pendingRow()), 0);
    }

    function testFuzzAForecastGrowsOld(uint32 wait, uint32 later) public {
        vm.warp(1_000_000);
        _post([uint256(1), 2, 3]);
        uint256[] memory words = _accept("proof", [uint256(1), 2, 3], 1);
        vm.warp(1_000_000 + uint256(wait));
        if (wait > AGE) {
            vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.RowTooOld.selector, 1_000_000));
            _pool.settle("proof", words);
            return;
        }
        _pool.settle("proof", words);
        vm.warp(1_000_000 + uint256(wait) + later);
        assertEq(_pool.fee(), uint256(wait) + later > AGE ? CALM : TURBULENT);
    }

    function testFuzzOnlyTheReviewedCode(bytes32 other) public {
        vm.assume(other != _code());
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.WrongCode.selector, other, _code()));
        new RegimeFeePool(_verifier, other, MODEL, FEED, AGE, CALM, TURBULENT);
    }

    function testFuzzAStatementCountsOnce(
        uint256[3] memory row,
        int256 margin,
        bytes memory proof,
        bytes memory another
    ) public {
        _post(row);
        uint256[] memory words = _accept(proof, row, margin);
        _pool.settle(proof, words);

        bytes memory expected = abi.encodeWithSelector(RegimeFeePool.AlreadyProven.selector, _digest(row));
        vm.expectRevert(expected);
        _pool.settle(proof, words);

        // A fresh proof of the same statement, also after the row has been posted again.
        _accept(another, row, margin);
        vm.expectRevert(expected);
        _pool.settle(another, words);
        _post(row);
        vm.expectRevert(expected);
        _pool.settle(another, words);
    }

    function testFuzzARowThatComesBackNeedsNoProof(uint256[3] memory first, uint256[3] memory second) public {
        vm.assume(_digest(first) != _digest(second));
        _post(first);
        _pool.settle("a", _accept("a", first, 1));
        _post(second);
        assertEq(_pool.fee(), TURBULENT); // until the second row is proven
        _pool.settle("b", _accept("b", second, -1));
        assertEq(_pool.fee(), CALM);

        vm.expectEmit();
        emit RegimeFeePool.RegimeSet(3, _digest(first), RegimeFeePool.Regime.Turbulent, 0, TURBULENT);
        _post(first);
        assertEq(_pool.fee(), TURBULENT);
        assertEq(_pool.day(), 3);
    }

    function testFuzzOnlyThePendingRow(uint256[3] memory posted, uint256[3] memory other) public {
        vm.assume(_digest(posted) != _digest(other));
        _post(posted);
        uint256[] memory words = _accept("proof", other, 1);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.RowNotPending.selector, _digest(posted), _digest(other)));
        _pool.settle("proof", words);
    }

    function testFuzzAnInvalidProofChangesNothing(uint256[3] memory row, int256 margin, bytes memory proof) public {
        _post(row);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.InvalidProof.selector));
        _pool.settle(proof, _words(row, margin));
        assertEq(_pool.fee(), CALM);
        assertEq(uint256(_pool.pendingRow()), uint256(_digest(row)));
    }

    function testFuzzOnlyTheFeedPosts(address caller) public {
        vm.assume(caller != FEED);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.NotTheFeed.selector, caller));
        _pool.postRow(new uint256[](FEATURES));
    }

    function testFuzzLengths(uint8 length) public {
        if (length != FEATURES) {
            vm.prank(FEED);
            vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.WrongLength.selector, FEATURES, length));
            _pool.postRow(new uint256[](length));
        }
        if (length != FEATURES + 2) {
            vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.WrongLength.selector, FEATURES + 2, length));
            _pool.settle("", new uint256[](length));
        }
    }

    function testConstructorRefusals() public {
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.WrongModel.selector, bytes32(0), MODEL));
        new RegimeFeePool(_verifier, _code(), bytes32(0), FEED, AGE, CALM, TURBULENT);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.BadFee.selector, TURBULENT, CALM));
        new RegimeFeePool(_verifier, _code(), MODEL, FEED, AGE, TURBULENT, CALM);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.BadFee.selector, CALM, uint24(100_001)));
        new RegimeFeePool(_verifier, _code(), MODEL, FEED, AGE, CALM, 100_001);
        ScriptedVerifier several = new ScriptedVerifier(MODEL, 3, 2, false);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.UnsuitableModel.selector));
        new RegimeFeePool(several, address(several).codehash, MODEL, FEED, AGE, CALM, TURBULENT);
        ScriptedVerifier hidden = new ScriptedVerifier(MODEL, 3, 1, true);
        vm.expectRevert(abi.encodeWithSelector(RegimeFeePool.UnsuitableModel.selector));
        new RegimeFeePool(hidden, address(hidden).codehash, MODEL, FEED, AGE, CALM, TURBULENT);
    }

    function _code() private view returns (bytes32) {
        return address(_verifier).codehash;
    }

    function _post(uint256[3] memory row) private {
        uint256[] memory words = new uint256[](FEATURES);
        for (uint256 i = 0; i < FEATURES; i++) {
            words[i] = row[i];
        }
        vm.prank(FEED);
        _pool.postRow(words);
    }

    function _accept(bytes memory proof, uint256[3] memory row, int256 margin)
        private
        returns (uint256[] memory words)
    {
        words = _words(row, margin);
        _verifier.accept(proof, words);
    }

    function _words(uint256[3] memory row, int256 margin) private pure returns (uint256[] memory words) {
        words = new uint256[](FEATURES + 2);
        for (uint256 i = 0; i < FEATURES; i++) {
            words[i] = row[i];
        }
        words[FEATURES] = uint256(margin);
    }

    function _digest(uint256[3] memory row) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(row));
    }
}
