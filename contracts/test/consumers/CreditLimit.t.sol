// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CreditLimit, Tier} from "../../src/consumers/CreditLimit.sol";
import {RegistryFollower} from "../../src/consumers/RegistryFollower.sol";
import {FixedLimit} from "../../src/examples/FixedLimit.sol";
import {HostileVerifier} from "../helpers/HostileVerifier.sol";
import {Registered} from "../helpers/Registered.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";

contract CreditLimitTest is Registered {
    // ScriptedVerifier says 44 bits: 2^44 is a score of one.
    int256 private constant ONE = 1 << 44;
    bytes32 private constant MODEL = keccak256("model");
    address private constant ATTESTER = address(0xa7);
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    uint256 private constant EXISTING = 100;
    uint40 private constant AGE = 30 days;
    uint256 private constant GAS = 1_000_000;
    bytes private constant PROOF = "proof";

    ScriptedVerifier private _verifier;
    uint32 private _version;
    CreditLimit private _limits;

    function setUp() public {
        _open();
        _verifier = new ScriptedVerifier(MODEL, 20, 1, true);
        _version = _allow(address(_verifier));
        _promote(_version);
        _limits = new CreditLimit(_registry, ATTESTER, new FixedLimit(EXISTING), AGE, GAS, false, _tiers());
    }

    // ---------------------------------------------------------------- one borrower

    function testTheHighestTierThatIsReached() public view {
        assertEq(_limits.limitFor(-ONE - 1, 44), 0);
        assertEq(_limits.limitFor(-ONE, 44), 50);
        assertEq(_limits.limitFor(0, 44), 50);
        assertEq(_limits.limitFor(ONE / 2 - 1, 44), 50);
        assertEq(_limits.limitFor(ONE / 2, 44), 1000);
        assertEq(_limits.limitFor(2 * ONE - 1, 44), 1000);
        assertEq(_limits.limitFor(2 * ONE, 44), 5000);
        assertEq(_limits.limitFor(2, 0), 5000);
    }

    function testFuzzAHighOutputMayBeBad(int256 output) public {
        CreditLimit risk = new CreditLimit(_registry, ATTESTER, new FixedLimit(EXISTING), AGE, GAS, true, _tiers());
        if (output == type(int256).min) ++output;
        assertEq(risk.limitFor(-output, 44), _limits.limitFor(output, 44));
        assertEq(risk.limitFor(type(int256).min, 44), 5000);
    }

    function testFuzzNoScoreMakesItRevertAndHigherIsNeverLess(int256 low, int256 high, uint8 bits) public view {
        vm.assume(low <= high && bits <= _limits.MAX_SCALE_BITS());
        uint256 limit = _limits.limitFor(high, bits);
        if (_limits.limitFor(low, bits) > limit || limit > 5000) revert("a higher score gave a lower limit");
    }

    function testFuzzAProofSetsTheLimitOfItsBorrowerOnly(uint256[2] memory row, int64 score) public {
        _attest(ALICE, row);
        assertEq(_limits.limitOf(ALICE), EXISTING);
        uint256[] memory words = _accept(ALICE, row, score);
        vm.expectEmit();
        emit CreditLimit.LimitSet(ALICE, 1, _version, score, _limits.limitFor(score, 44));
        _limits.settle(ALICE, PROOF, words);
        assertEq(_limits.limitOf(ALICE), _limits.limitFor(score, 44));
        assertEq(_limits.limitOf(BOB), EXISTING);
    }

    function testFuzzOnlyTheAttestedCommitment(uint256[2] memory attested, uint256[2] memory other) public {
        vm.assume(_digest(attested) != _digest(other));
        _attest(ALICE, attested);
        uint256[] memory words = _accept(ALICE, other, ONE);
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, _digest(attested), _digest(other))
        );
        _limits.settle(ALICE, PROOF, words);
    }

    function testOneBorrowersProofIsNotAnothers() public {
        uint256[2] memory row = [uint256(1), 2];
        _attest(ALICE, row);
        _attest(BOB, row);
        uint256[] memory words = _accept(ALICE, row, 2 * ONE);
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.WrongContext.selector, _limits.contextOf(BOB, 1), words[3])
        );
        _limits.settle(BOB, PROOF, words);
        _limits.settle(ALICE, PROOF, words);
        // Nor again, nor for the next attestation of the same row.
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, bytes32(0), _digest(row)));
        _limits.settle(ALICE, PROOF, words);
        _attest(ALICE, row);
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.WrongContext.selector, _limits.contextOf(ALICE, 2), words[3])
        );
        _limits.settle(ALICE, PROOF, words);
        // What was proven before counts until then.
        assertEq(_limits.limitOf(ALICE), 5000);
    }

    function testFuzzAScoreGrowsOld(uint32 wait, uint32 later) public {
        _attest(ALICE, [uint256(1), 2]);
        uint256[] memory words = _accept(ALICE, [uint256(1), 2], ONE);
        vm.warp(NOW + wait);
        if (wait > AGE) {
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.RowTooOld.selector, NOW));
            _limits.settle(ALICE, PROOF, words);
            return;
        }
        _limits.settle(ALICE, PROOF, words);
        vm.warp(NOW + uint256(wait) + later);
        // Counted from the attestation: whoever proves cannot stretch a score.
        assertEq(_limits.limitOf(ALICE), uint256(wait) + later > AGE ? EXISTING : 1000);
    }

    function testAnInvalidProofChangesNothing() public {
        _attest(ALICE, [uint256(1), 2]);
        uint256[] memory words = _words(ALICE, [uint256(1), 2], ONE);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.InvalidProof.selector));
        _limits.settle(ALICE, PROOF, words);
        assertEq(_limits.limitOf(ALICE), EXISTING);
    }

    function testWhatWasWithdrawnCountsNoMore() public {
        _settle(ALICE, [uint256(1), 2], 2 * ONE);
        _attest(ALICE, [uint256(3), 4]);
        uint256[] memory words = _accept(ALICE, [uint256(3), 4], 2 * ONE);
        vm.expectRevert(abi.encodeWithSelector(CreditLimit.NotTheAttester.selector, address(this)));
        _limits.withdraw(ALICE, "");
        vm.expectEmit();
        emit CreditLimit.Withdrawn(ALICE, 2, "wrong documents");
        vm.prank(ATTESTER);
        _limits.withdraw(ALICE, "wrong documents");
        assertEq(_limits.limitOf(ALICE), EXISTING);
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, bytes32(0), _digest([uint256(3), 4]))
        );
        _limits.settle(ALICE, PROOF, words);
    }

    // ---------------------------------------------------------------- following the registry

    function testAFrozenModelFallsBackAndAnAcceptedOneStays() public {
        _settle(ALICE, [uint256(1), 2], 2 * ONE);
        _attest(BOB, [uint256(3), 4]);
        uint256[] memory words = _accept(BOB, [uint256(3), 4], ONE);
        ScriptedVerifier next = new ScriptedVerifier(keccak256("next"), 20, 1, true);
        uint32 version = _allow(address(next));
        _promote(version);
        // Promotion takes nothing away from what was attested or proven under the first.
        assertEq(_limits.limitOf(ALICE), 5000);
        _limits.settle(BOB, PROOF, words);
        assertEq(_limits.limitOf(BOB), 1000);
        vm.prank(ATTESTER);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.NotTheDefault.selector, _version, version));
        _limits.attest(ALICE, _version, [uint256(1), 2]);
        _freeze(MODEL);
        assertEq(_limits.limitOf(ALICE), EXISTING);
        assertEq(_limits.limitOf(BOB), EXISTING);
    }

    function testFuzzAHostileVerifierStopsNothing(uint8 seed) public {
        _settle(ALICE, [uint256(1), 2], 2 * ONE);
        _attest(BOB, [uint256(3), 4]);
        HostileVerifier hostile = new HostileVerifier(keccak256("hostile"));
        uint32 version = _allow(address(hostile));
        _promote(version);
        // Its shape is of public inputs; then it does not answer at all.
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(ATTESTER);
            uint256 before = gasleft();
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.UnsuitableModel.selector, version));
            _limits.attest(ALICE, version, [uint256(1), 2]);
            if (before - gasleft() > 200_000) revert("burnt more than its limit");
            hostile.turn(HostileVerifier.Way(1 + seed % 7));
        }
        assertEq(_limits.limitOf(ALICE), 5000);
        uint256[] memory words = _accept(BOB, [uint256(3), 4], ONE);
        _limits.settle(BOB, PROOF, words);
        assertEq(_limits.limitOf(BOB), 1000);
    }

    // ---------------------------------------------------------------- strangers and bad terms

    function testRefusesStrangersWrongLengthsAndUnsuitableModels() public {
        vm.expectRevert(abi.encodeWithSelector(CreditLimit.NotTheAttester.selector, address(this)));
        _limits.attest(ALICE, _version, [uint256(1), 2]);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.WrongLength.selector, 4, 5));
        _limits.settle(ALICE, PROOF, new uint256[](5));
        vm.expectRevert(
            abi.encodeWithSelector(RegistryFollower.RowNotPending.selector, bytes32(0), keccak256(new bytes(64)))
        );
        _limits.settle(ALICE, PROOF, new uint256[](4));
        ScriptedVerifier[3] memory found = [
            new ScriptedVerifier(keccak256("several"), 20, 2, true),
            new ScriptedVerifier(keccak256("public"), 20, 1, false),
            new ScriptedVerifier(keccak256("fine"), 20, 1, true)
        ];
        found[2].scale(121);
        for (uint256 i = 0; i < 3; ++i) {
            uint32 version = _allow(address(found[i]));
            _promote(version);
            vm.prank(ATTESTER);
            vm.expectRevert(abi.encodeWithSelector(RegistryFollower.UnsuitableModel.selector, version));
            _limits.attest(ALICE, version, [uint256(1), 2]);
        }
    }

    function testRefusesBadTerms() public {
        FixedLimit existing = new FixedLimit(EXISTING);
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new CreditLimit(_registry, ATTESTER, existing, AGE, GAS, false, new Tier[](0));
        Tier[] memory tiers = _tiers();
        tiers[1].atLeast = tiers[0].atLeast;
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new CreditLimit(_registry, ATTESTER, existing, AGE, GAS, false, tiers);
        tiers = _tiers();
        tiers[2].limit = tiers[1].limit;
        vm.expectRevert(abi.encodeWithSelector(RegistryFollower.BadTerms.selector));
        new CreditLimit(_registry, ATTESTER, existing, AGE, GAS, false, tiers);
    }

    // ---------------------------------------------------------------- how

    function _tiers() private pure returns (Tier[] memory tiers) {
        tiers = new Tier[](3);
        tiers[0] = Tier(-1e18, 50);
        tiers[1] = Tier(0.5e18, 1000);
        tiers[2] = Tier(2e18, 5000);
    }

    function _attest(address borrower, uint256[2] memory row) private {
        vm.prank(ATTESTER);
        _limits.attest(borrower, _version, row);
    }

    function _accept(address borrower, uint256[2] memory row, int256 score) private returns (uint256[] memory words) {
        words = _words(borrower, row, score);
        _verifier.accept(PROOF, words);
    }

    function _settle(address borrower, uint256[2] memory row, int256 score) private {
        _attest(borrower, row);
        uint256[] memory words = _accept(borrower, row, score);
        _limits.settle(borrower, PROOF, words);
    }

    function _words(address borrower, uint256[2] memory row, int256 score)
        private
        view
        returns (uint256[] memory words)
    {
        (uint64 period,,,,,,,) = _limits.accounts(borrower);
        words = new uint256[](4);
        words[0] = row[0];
        words[1] = row[1];
        words[2] = uint256(score);
        words[3] = _limits.contextOf(borrower, period);
    }

    function _digest(uint256[2] memory row) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(row));
    }
}
