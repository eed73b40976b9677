// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../../src/FeeLine.sol";
import {RegistryFee} from "../../src/consumers/RegistryFee.sol";
import {RegistryFollower} from "../../src/consumers/RegistryFollower.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {HostileVerifier} from "../helpers/HostileVerifier.sol";
import {Registered} from "../helpers/Registered.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";

contract RegistryFeeTest is Registered {
    // ScriptedVerifier says 44 bits: 2^44 is a forecast of one.
    int256 private constant ONE = 1 << 44;
    bytes32 private constant MODEL = keccak256("model");
    address private constant FEED = address(0xfeed);
    uint24 private constant EXISTING = 3000;
    uint24 private constant STEP = 1000;
    uint40 private constant AGE = 1 days;
    uint256 private constant GAS = 1_000_000;

    ScriptedVerifier private _verifier;
    uint32 private _version;
    RegistryFee private _source;

    function setUp() public {
        _open();
        (_version, _verifier) = _scripted(MODEL);
        _promote(_version);
        _source = new RegistryFee(_registry, FEED, new FixedFee(EXISTING), AGE, STEP, GAS, _line());
    }

    // ---------------------------------------------------------------- one period

    function testFuzzAProofMovesTheFeeByAStepAtMost(uint256[3] memory row, int64 forecast, bytes memory proof) public {
        _post(row);
        assertEq(_source.fee(), EXISTING);
        uint256[] memory words = _accept(proof, row, forecast);
        uint24 wanted = FeeLine.feeAt(_line(), forecast, 44);
        uint24 next = wanted > EXISTING + STEP ? EXISTING + STEP : wanted < EXISTING - STEP ? EXISTING - STEP : wanted;
        vm.expectEmit();
        emit RegistryFee.FeeSet(1, _version, _digest(row), forecast, wanted, next);
        _source.settle(proof, words);
        assertEq(_source.fee(), next);
    }

    function testTheStepsArriveInTheEnd() public {
        for (uint256 i = 0; i < 8; ++i) {
            _settle([i, 0, 0], ONE);
            uint256 expected = EXISTING + (i + 1) * STEP;
            assertEq(_source.fee(), expected > 10_000 ? 10_000 : expected);
        }
        for (uint256 i = 0; i < 10; ++i) {
            _settle([i, 0, 0], -ONE);
        }
        assertEq(_source.fee(), 400);
    }

    function testFuzzNoForecastMakesItRevert(int256 forecast) public {
        _settle([uint256(1), 2, 3], forecast);
        assertEq(_source.forecastVersion(), _version);
    }

    function testFuzzOnlyThePendingRow(uint256[3] memory posted, uint256[3] memory other) public {
        vm.assume(_digest(posted) != _digest(other));
        _post(posted);
        uint256[] memory words = _accept("proof", other, 1);
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, _digest(posted), _digest(other))
        );
        _source.settle("proof", words);
    }

    function testFuzzTheContextIsOfThisPeriod(uint256 context) public {
        _post([uint256(1), 2, 3]);
        uint256[] memory words = _accept("proof", [uint256(1), 2, 3], 1);
        uint256 right = words[4];
        vm.assume(context != right);
        words[4] = context;
        _verifier.accept("proof", words);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongContext.selector, right, context));
        _source.settle("proof", words);
    }

    function testNoProofCountsTwice() public {
        uint256[3] memory row = [uint256(1), 2, 3];
        uint256[] memory words = _settle(row, ONE);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, bytes32(0), _digest(row)));
        _source.settle("proof", words);
        // The same row in a later period needs a proof of its own.
        _post(row);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongContext.selector, _source.contextOf(2), words[4]));
        _source.settle("proof", words);
        // And one of another consumer, or chain, is for its own context.
        RegistryFee other = new RegistryFee(_registry, FEED, new FixedFee(EXISTING), AGE, STEP, GAS, _line());
        if (other.contextOf(2) == _source.contextOf(2)) revert("two consumers, one context");
        uint256 here = _source.contextOf(2);
        vm.chainId(1);
        if (_source.contextOf(2) == here) revert("two chains, one context");
    }

    function testFuzzAnInvalidProofChangesNothing(uint256[3] memory row, int64 forecast) public {
        _post(row);
        uint256[] memory words = _words(row, forecast);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.InvalidProof.selector));
        _source.settle("proof", words);
        assertEq(_source.fee(), EXISTING);
        assertEq(uint256(_source.pendingRow()), uint256(_digest(row)));
    }

    function testFuzzAForecastGrowsOld(uint32 wait, uint32 later, int64 forecast) public {
        _post([uint256(1), 2, 3]);
        uint256[] memory words = _accept("proof", [uint256(1), 2, 3], forecast);
        vm.warp(NOW + wait);
        if (wait > AGE) {
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.RowTooOld.selector, NOW));
            _source.settle("proof", words);
            return;
        }
        _source.settle("proof", words);
        vm.warp(NOW + uint256(wait) + later);
        // Counted from the row, not from its proof: whoever proves cannot stretch a forecast.
        assertEq(_source.fee(), uint256(wait) + later > AGE ? EXISTING : _source.forecastFee());
    }

    // ---------------------------------------------------------------- following the registry

    function testANewDefaultTakesOverWithoutAGap() public {
        _settle([uint256(1), 2, 3], ONE);
        (uint32 next, ScriptedVerifier verifier) = _scripted(keccak256("next"));
        // A row that was posted before the change is settled by the version whose words it has.
        _post([uint256(4), 5, 6]);
        uint256[] memory words = _accept("proof", [uint256(4), 5, 6], ONE);
        _promote(next);
        assertEq(_source.fee(), EXISTING + STEP);
        _source.settle("proof", words);
        assertEq(_source.fee(), EXISTING + 2 * STEP);
        // The feed cannot post words of the old version any more.
        vm.prank(FEED);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotTheDefault.selector, _version, next));
        _source.postRow(_version, new uint256[](3));
        _version = next;
        _verifier = verifier;
        _settle([uint256(7), 8, 9], ONE);
        assertEq(_source.forecastVersion(), next);
        assertEq(_source.fee(), EXISTING + 3 * STEP);
    }

    function testAFrozenDefaultFallsBackAtOnce() public {
        _settle([uint256(1), 2, 3], ONE);
        _post([uint256(4), 5, 6]);
        uint256[] memory words = _accept("proof", [uint256(4), 5, 6], ONE);
        _freeze(MODEL);
        assertEq(_source.fee(), EXISTING);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotAccepted.selector, _version));
        _source.settle("proof", words);
        vm.prank(FEED);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotTheDefault.selector, _version, 0));
        _source.postRow(_version, new uint256[](3));
        vm.prank(FEED);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotTheDefault.selector, 0, 0));
        _source.postRow(0, new uint256[](3));
        // A frozen model's forecast does not come back with the next default.
        (uint32 next,) = _scripted(keccak256("next"));
        _promote(next);
        assertEq(_source.fee(), EXISTING);
    }

    function testARetiredVersionsForecastCountsUntilItsLastBlock() public {
        _settle([uint256(1), 2, 3], ONE);
        (uint32 next,) = _scripted(keccak256("next"));
        _promote(next);
        vm.prank(PROPOSER);
        _registry.retire(_version, 1010);
        vm.roll(1010);
        assertEq(_source.fee(), EXISTING + STEP);
        vm.roll(1011);
        assertEq(_source.fee(), EXISTING);
    }

    function testAVersionWhoseCodeChangedFallsBack() public {
        _settle([uint256(1), 2, 3], ONE);
        vm.etch(address(_verifier), hex"00");
        assertEq(_source.fee(), EXISTING);
    }

    function testGoingBackIsFollowed() public {
        (uint32 next, ScriptedVerifier verifier) = _scripted(keccak256("next"));
        _promote(next);
        (uint32 first, ScriptedVerifier before) = (_version, _verifier);
        (_version, _verifier) = (next, verifier);
        _settle([uint256(1), 2, 3], ONE);
        vm.prank(GUARDIAN);
        _registry.back(first);
        assertEq(_source.fee(), EXISTING + STEP);
        (_version, _verifier) = (first, before);
        _settle([uint256(4), 5, 6], -ONE);
        assertEq(_source.fee(), EXISTING);
        assertEq(_source.forecastVersion(), first);
    }

    // ---------------------------------------------------------------- verifiers that are not what they should be

    function testFuzzAHostileVerifierStopsNothing(uint8 seed) public {
        _settle([uint256(1), 2, 3], ONE);
        HostileVerifier hostile = new HostileVerifier(keccak256("hostile"));
        HostileVerifier.Way way = HostileVerifier.Way(1 + seed % 7);
        uint32 version = _allow(address(hostile));
        _promote(version);
        vm.prank(FEED);
        _source.postRow(version, new uint256[](3));
        uint256[] memory words = new uint256[](5);
        words[4] = _source.contextOf(2);
        hostile.turn(way);

        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.VerifierFailed.selector, version));
        _source.settle("proof", words);
        if (before - gasleft() > GAS + 100_000) revert("burnt more than its limit");
        vm.prank(FEED);
        before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.UnsuitableModel.selector, version));
        _source.postRow(version, new uint256[](3));
        if (before - gasleft() > 200_000) revert("burnt more than its limit");

        // The fee never asks it, and costs no more than before.
        before = gasleft();
        assertEq(_source.fee(), EXISTING + STEP);
        if (before - gasleft() > 50_000) revert("asked a verifier for the fee");
        _freeze(keccak256("hostile"));
        assertEq(_source.fee(), EXISTING);
    }

    function testUnsuitableModelsTakeNoRow() public {
        ScriptedVerifier[3] memory found = [
            new ScriptedVerifier(keccak256("several"), 3, 2, false),
            new ScriptedVerifier(keccak256("hidden"), 3, 1, true),
            new ScriptedVerifier(keccak256("fine"), 3, 1, false)
        ];
        found[2].scale(151);
        for (uint256 i = 0; i < 3; ++i) {
            uint32 version = _allow(address(found[i]));
            _promote(version);
            vm.prank(FEED);
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.UnsuitableModel.selector, version));
            _source.postRow(version, new uint256[](3));
        }
    }

    // ---------------------------------------------------------------- strangers and bad terms

    function testRefusesStrangersAndWrongLengths() public {
        vm.expectRevert(abi.encodeWithSelector(RegistryFee.NotTheFeed.selector, address(this)));
        _source.postRow(_version, new uint256[](3));
        vm.prank(FEED);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongLength.selector, 3, 2));
        _source.postRow(_version, new uint256[](2));
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongLength.selector, 2, 1));
        _source.settle("proof", new uint256[](1));
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, bytes32(0), keccak256(new bytes(96)))
        );
        _source.settle("proof", new uint256[](5));
    }

    function testRefusesBadTerms() public {
        FixedFee existing = new FixedFee(EXISTING);
        Line[3] memory lines = [Line(0, 0, 2, 1), Line(0, 0, 0, 100_001), _line()];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
            new RegistryFee(_registry, FEED, existing, AGE, STEP, GAS, lines[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new RegistryFee(_registry, FEED, existing, 0, STEP, GAS, lines[2]);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new RegistryFee(_registry, FEED, existing, AGE, 0, GAS, lines[2]);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new RegistryFee(_registry, FEED, existing, AGE, STEP, 0, lines[2]);
    }

    // ---------------------------------------------------------------- how

    function _line() private pure returns (Line memory) {
        return Line({base: 500, slope: 200_000, lowest: 400, highest: 10_000});
    }

    function _post(uint256[3] memory row) private {
        uint256[] memory words = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) {
            words[i] = row[i];
        }
        vm.prank(FEED);
        _source.postRow(_version, words);
    }

    function _accept(bytes memory proof, uint256[3] memory row, int256 forecast)
        private
        returns (uint256[] memory words)
    {
        words = _words(row, forecast);
        _verifier.accept(proof, words);
    }

    function _settle(uint256[3] memory row, int256 forecast) private returns (uint256[] memory words) {
        _post(row);
        words = _accept("proof", row, forecast);
        _source.settle("proof", words);
    }

    function _words(uint256[3] memory row, int256 forecast) private view returns (uint256[] memory words) {
        words = new uint256[](5);
        for (uint256 i = 0; i < 3; ++i) {
            words[i] = row[i];
        }
        words[3] = uint256(forecast);
        words[4] = _source.contextOf(_source.period());
    }

    function _digest(uint256[3] memory row) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(row));
    }
}
