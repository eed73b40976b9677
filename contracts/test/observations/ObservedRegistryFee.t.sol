// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../../src/FeeLine.sol";
import {ObservedRegistryFee} from "../../src/consumers/ObservedRegistryFee.sol";
import {RegistryFollower} from "../../src/consumers/RegistryFollower.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {ModelWithRow} from "../../src/registry/ModelWithRow.sol";
import {HistoryRow} from "../helpers/HistoryRow.sol";
import {HostileVersion} from "../helpers/HostileVersion.sol";
import {Registered} from "../helpers/Registered.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {Series} from "../helpers/Series.sol";

contract ObservedRegistryFeeTest is Registered {
    // ScriptedVerifier says 44 bits: 2^44 is a forecast of one.
    int256 private constant ONE = 1 << 44;
    uint24 private constant EXISTING = 3000;
    uint40 private constant AGE = 1 days;
    uint256 private constant GAS = 500_000;
    uint256 private constant BEGAN = 500_000 * 3600;

    Series private _series;
    ScriptedVerifier[2] private _verifiers;
    uint32[2] private _versions;
    FixedFee private _existing;
    ObservedRegistryFee private _fee;

    function setUp() public {
        _open();
        vm.warp(BEGAN);
        _series = new Series(1e12, 3600, 10);
        for (uint256 i = 0; i < 2; ++i) {
            _verifiers[i] = new ScriptedVerifier(bytes32(i + 1), 2, 1, false);
            // The second model's row has the same words the other way around.
            _versions[i] = _allow(address(_with(_verifiers[i], new HistoryRow(i == 1))));
        }
        _promote(_versions[0]);
        _existing = new FixedFee(EXISTING);
        _fee = _consumer(AGE, GAS, _line());
    }

    // ---------------------------------------------------------------- one bar

    function testFuzzTheContractsOwnRowIsWhatCounts(int256 forecast, bytes memory proof) public {
        uint256[] memory words = _bar(0, proof, forecast);
        (bool known, uint256 end, uint256[] memory row) = _fee.pendingRow();
        if (!known || end != block.timestamp || row.length != 2) revert("no row");
        assertEq(row[0], words[0]);
        assertEq(row[1], words[1]);
        uint24 wanted = FeeLine.feeAt(_line(), forecast, 44);
        vm.expectEmit();
        emit ObservedRegistryFee.FeeSet(end, _versions[0], keccak256(abi.encodePacked(row)), forecast, wanted);
        _fee.settle(proof, words);
        assertEq(_fee.fee(), wanted);
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.SettledAlready.selector, end));
        _fee.settle(proof, words);
        vm.warp(end + AGE);
        assertEq(_fee.fee(), wanted);
        vm.warp(end + AGE + 1);
        assertEq(_fee.fee(), EXISTING);
    }

    function testFuzzAnyOtherRowIsRefused(uint256 index, uint256 word) public {
        uint256[] memory words = _bar(0, "proof", ONE);
        index %= 2;
        vm.assume(word != words[index]);
        uint256 own = words[index];
        words[index] = word;
        _verifiers[0].accept("proof", words);
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.WrongWord.selector, index, own, word));
        _fee.settle("proof", words);
    }

    function testProofsThatAreNone() public {
        uint256[] memory words = _bar(0, "proof", ONE);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.InvalidProof.selector));
        _fee.settle("other", words);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongLength.selector, 4, 3));
        _fee.settle("proof", new uint256[](3));
        vm.warp(block.timestamp + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.WrongWord.selector, 1, 0, 42));
        _fee.settle("proof", words);
    }

    function testWithoutEnoughHistoryThereIsNoRow() public {
        vm.warp(BEGAN + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.NoRow.selector));
        _fee.settle("proof", new uint256[](4));
        assertEq(_fee.fee(), EXISTING);
    }

    // ---------------------------------------------------------------- following the registry

    /// @notice What ObservedFee cannot: another version's forecasts set the fee, its own rows are asked for, nothing is
    ///         deployed, and the way back is as short.
    function testFuzzAnotherVersionTakesOverAndTheFirstComesBack(int64 first, int64 second) public {
        uint256[] memory words = _bar(0, "proof", first);
        _fee.settle("proof", words);
        _promote(_versions[1]);
        // The forecast goes on; the old version's proof does not count any more, also not of its own row.
        assertEq(_fee.fee(), FeeLine.feeAt(_line(), first, 44));
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.WrongWord.selector, 0, 42, 1.1e12));
        _fee.settle("proof", words);
        (,, uint256[] memory row) = _fee.pendingRow();
        assertEq(row[0], words[1]);
        assertEq(row[1], words[0]);
        // The same bar, by the version that decides now.
        uint256[] memory turned = _words(1, "more", second);
        _fee.settle("more", turned);
        assertEq(_fee.fee(), FeeLine.feeAt(_line(), second, 44));
        assertEq(_fee.forecastVersion(), _versions[1]);
        vm.prank(GUARDIAN);
        _registry.back(_versions[0]);
        _fee.settle("proof", words);
        assertEq(_fee.fee(), FeeLine.feeAt(_line(), first, 44));
    }

    function testAFrozenDefaultFallsBackAtOnce() public {
        uint256[] memory words = _bar(0, "proof", ONE);
        _fee.settle("proof", words);
        assertEq(_fee.fee(), 10_000);
        _freeze(bytes32(uint256(1)));
        assertEq(_fee.fee(), EXISTING);
        (bool known,, uint256[] memory row) = _fee.pendingRow();
        if (known || row.length != 0) revert("a row for nobody");
        vm.warp(block.timestamp + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotTheDefault.selector, 0, 0));
        _fee.settle("proof", words);
        // Its forecast does not come back with the next default.
        _promote(_versions[1]);
        assertEq(_fee.fee(), EXISTING);
    }

    function testARetiredVersionsForecastCountsUntilItsLastBlock() public {
        _fee.settle("proof", _bar(0, "proof", ONE));
        _promote(_versions[1]);
        vm.prank(PROPOSER);
        _registry.retire(_versions[0], 1010);
        vm.roll(1010);
        assertEq(_fee.fee(), 10_000);
        vm.roll(1011);
        assertEq(_fee.fee(), EXISTING);
    }

    // ---------------------------------------------------------------- versions that are not what they should be

    /// @notice The code that a version speaks for is other than it was: nothing of it counts.
    function testWhatAVersionPinsMustStayAsItIs() public {
        uint256[] memory words = _bar(0, "proof", ONE);
        (, address version) = _registry.current();
        bytes memory code = address(_verifiers[1]).code;
        vm.etch(address(_verifiers[0]), abi.encodePacked(code, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.VerifierFailed.selector, _versions[0]));
        _fee.settle("proof", words);
        vm.etch(address(ModelWithRow(version).rows()), hex"00");
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.RowFailed.selector, _versions[0]));
        _fee.settle("proof", words);
    }

    function testFuzzAHostileVersionStopsNothing(uint8 seed) public {
        _fee.settle("proof", _bar(0, "proof", ONE));
        HostileVersion hostile = new HostileVersion(keccak256("hostile"));
        uint32 version = _allow(address(hostile));
        _promote(version);
        hostile.turn(HostileVersion.Way(1 + seed % 10));
        uint256[] memory words = new uint256[](4);
        (words[0], words[1]) = (1, 2);
        vm.warp(block.timestamp + 60);
        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.RowFailed.selector, version));
        _fee.settle("proof", words);
        if (before - gasleft() > GAS + 100_000) revert("burnt more than its limit");
        // The fee never asks it, and costs no more than before.
        before = gasleft();
        assertEq(_fee.fee(), 10_000);
        if (before - gasleft() > 50_000) revert("asked a version for the fee");
        // One that merely lies is believed: that is what the registry's delay and its guardian are for.
        hostile.turn(HostileVersion.Way.Honest);
        _fee.settle("proof", words);
        assertEq(_fee.forecastVersion(), version);
        _freeze(keccak256("hostile"));
        assertEq(_fee.fee(), EXISTING);
    }

    /// @notice A verifier alone is no version of this registry: its row is not answered.
    function testAVerifierWithoutARowSettlesNothing() public {
        uint32 version = _allow(address(new ScriptedVerifier(keccak256("alone"), 2, 1, false)));
        uint256[] memory words = _bar(0, "proof", ONE);
        _promote(version);
        vm.expectRevert(abi.encodeWithSelector(ObservedRegistryFee.RowFailed.selector, version));
        _fee.settle("proof", words);
    }

    function testUnsuitableModelsSettleNothing() public {
        ScriptedVerifier[3] memory found = [
            new ScriptedVerifier(keccak256("several"), 2, 2, false),
            new ScriptedVerifier(keccak256("hidden"), 2, 1, true),
            new ScriptedVerifier(keccak256("fine"), 2, 1, false)
        ];
        found[2].scale(151);
        _bar(0, "proof", ONE);
        for (uint256 i = 0; i < 3; ++i) {
            uint32 version = _allow(address(_with(found[i], new HistoryRow(false))));
            _promote(version);
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.UnsuitableModel.selector, version));
            _fee.settle("proof", new uint256[](4));
        }
    }

    function testRefusesBadTerms() public {
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        _consumer(0, GAS, _line());
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        _consumer(AGE, 0, _line());
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        _consumer(AGE, GAS, Line(0, 1, 3, 2));
    }

    // ---------------------------------------------------------------- ModelWithRow

    function testAModelWithRowRefusesWhatWasNotReviewed() public {
        ScriptedVerifier verifier = _verifiers[0];
        HistoryRow row = new HistoryRow(false);
        (bytes32 code, bytes32 rowCode) = (address(verifier).codehash, address(row).codehash);
        vm.expectRevert(abi.encodeWithSelector(ModelWithRow.WrongCode.selector, bytes32(0), code));
        new ModelWithRow(verifier, 0, bytes32(uint256(1)), row, rowCode);
        vm.expectRevert(abi.encodeWithSelector(ModelWithRow.WrongCode.selector, bytes32(0), rowCode));
        new ModelWithRow(verifier, code, bytes32(uint256(1)), row, 0);
        vm.expectRevert(
            abi.encodeWithSelector(ModelWithRow.WrongModel.selector, bytes32(uint256(2)), bytes32(uint256(1)))
        );
        new ModelWithRow(verifier, code, bytes32(uint256(2)), row, rowCode);
    }

    /// @notice What its code pins is in its code's hash, which the registry keeps.
    function testAnotherRowIsAnotherCode() public {
        bytes32 one = address(_with(_verifiers[0], new HistoryRow(false))).codehash;
        if (one == address(_with(_verifiers[0], new HistoryRow(true))).codehash) revert("one hash for two rows");
        if (one == address(_with(_verifiers[1], new HistoryRow(false))).codehash) revert("one hash for two models");
    }

    // ---------------------------------------------------------------- how

    /// @dev Three bars with a trade, and the words that a version takes for the last of them.
    function _bar(uint256 which, bytes memory proof, int256 forecast) private returns (uint256[] memory words) {
        vm.warp(BEGAN + 2 hours + 5);
        _series.trade(1.1e12, 42);
        vm.warp(BEGAN + 3 hours);
        return _words(which, proof, forecast);
    }

    function _words(uint256 which, bytes memory proof, int256 forecast) private returns (uint256[] memory words) {
        words = new uint256[](4);
        (words[which], words[1 - which], words[2], words[3]) = (1.1e12, 42, uint256(forecast), 7);
        _verifiers[which].accept(proof, words);
    }

    function _with(ScriptedVerifier verifier, HistoryRow row) private returns (ModelWithRow) {
        return new ModelWithRow(verifier, address(verifier).codehash, verifier.modelId(), row, address(row).codehash);
    }

    function _consumer(uint40 age, uint256 gas_, Line memory line) private returns (ObservedRegistryFee) {
        return new ObservedRegistryFee(_registry, _series, 0, _existing, age, gas_, line);
    }

    function _line() private pure returns (Line memory) {
        return Line({base: 400, slope: 1e6, lowest: 400, highest: 10_000});
    }
}
