// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGate} from "../../src/registry/IGate.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {Test} from "../helpers/Vm.sol";

/// @notice Lets pass what carries the right word.
contract WordGate is IGate {
    error WrongWord();

    function check(bytes32, bytes32, bytes32, bytes calldata evidence) external pure {
        if (keccak256(evidence) != keccak256("audited")) revert WrongWord();
    }
}

contract ModelRegistryTest is Test {
    address private constant ADMIN = address(0xad);
    address private constant PROPOSER = address(0x9e);
    address private constant GUARDIAN = address(0x6a);
    address private constant STRANGER = address(0x57);
    uint48 private constant DELAY = 2 days;
    bytes32 private constant TASK = keccak256("task");
    bytes32 private constant RELEASE = keccak256("release");

    ModelRegistry private _registry;

    function setUp() public {
        vm.chainId(1);
        vm.warp(1_800_000_000);
        vm.roll(20_000_000);
        _registry = new ModelRegistry(TASK, ADMIN, PROPOSER, GUARDIAN, DELAY, IGate(address(0)));
    }

    function testTheWayOfAVersion() public {
        (uint32 version, ScriptedVerifier verifier) = _propose("a");
        _expectNone();
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.TooEarly.selector, uint48(block.timestamp) + DELAY));
        _registry.allow(version, "");
        vm.warp(block.timestamp + DELAY);
        vm.prank(STRANGER);
        _registry.allow(version, "");
        assertEq(uint160(_registry.accepted(version)), uint160(address(verifier)));
        _expectNone();
        vm.prank(PROPOSER);
        _registry.proposeDefault(version);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.TooEarly.selector, uint48(block.timestamp) + DELAY));
        _registry.makeDefault();
        vm.warp(block.timestamp + DELAY);
        vm.prank(STRANGER);
        _registry.makeDefault();
        _expectCurrent(version, address(verifier));
    }

    function testGoingBackIsAtOnceAndOnlyToWhatDecided() public {
        (uint32 first, ScriptedVerifier verifier) = _default("a");
        (uint32 second,) = _default("b");
        uint32 third = _allowed("c");
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NeverDecided.selector, third));
        _registry.back(third);
        vm.prank(PROPOSER);
        _registry.proposeDefault(third);
        vm.prank(GUARDIAN);
        _registry.back(first);
        _expectCurrent(first, address(verifier));
        // What was proposed before does not undo it afterwards.
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NothingProposed.selector));
        _registry.makeDefault();
        vm.prank(PROPOSER);
        _registry.retire(second, uint64(block.number));
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.Retired.selector, second, uint64(block.number)));
        _registry.back(second);
    }

    function testAFrozenModelStaysFrozenAtEveryAddress() public {
        (uint32 version,) = _default("a");
        bytes32 model = keccak256("a");
        vm.prank(GUARDIAN);
        _registry.freeze(model, "wrong");
        _expectNone();
        assertEq(uint160(_registry.accepted(version)), 0);
        ScriptedVerifier again = new ScriptedVerifier(model, 3, 1, false);
        bytes32 code = address(again).codehash;
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.Frozen.selector, model));
        _registry.propose(address(again), code, model, RELEASE);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.Frozen.selector, model));
        _registry.back(version);
    }

    function testAModelFrozenWhileItWaitsNeverDecides() public {
        uint32 version = _allowed("a");
        vm.prank(PROPOSER);
        _registry.proposeDefault(version);
        (uint32 waiting, ScriptedVerifier other) = _propose("b");
        bytes32 first = _registry.versions(version).modelId;
        vm.prank(GUARDIAN);
        _registry.freeze(first, "");
        bytes32 second = other.modelId();
        vm.prank(GUARDIAN);
        _registry.freeze(second, "");
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.Frozen.selector, first));
        _registry.makeDefault();
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.Frozen.selector, second));
        _registry.allow(waiting, "");
    }

    function testCodeThatChangedCountsForNothing() public {
        (uint32 version, ScriptedVerifier verifier) = _default("a");
        vm.etch(address(verifier), hex"00");
        _expectNone();
        assertEq(uint160(_registry.accepted(version)), 0);
    }

    function testRetiredProofsCountUntilTheStatedBlock() public {
        uint32 version = _allowed("a");
        uint64 until = uint64(block.number) + 10;
        vm.prank(PROPOSER);
        _registry.retire(version, until);
        vm.roll(until);
        if (_registry.accepted(version) == address(0)) revert("too early");
        vm.roll(until + 1);
        assertEq(uint160(_registry.accepted(version)), 0);
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.BadBlock.selector, until + 5));
        _registry.retire(version, until + 5);
    }

    function testTheDefaultIsNotRetired() public {
        (uint32 version,) = _default("a");
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.StillDefault.selector, version));
        _registry.retire(version, uint64(block.number));
    }

    function testTheGuardianRefusesWhatWaits() public {
        (uint32 version,) = _propose("a");
        vm.prank(GUARDIAN);
        _registry.refuse(version, "not reviewed");
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongState.selector, version, ModelRegistry.State.Refused));
        _registry.allow(version, "");
        uint32 other = _allowed("b");
        vm.prank(PROPOSER);
        _registry.proposeDefault(other);
        vm.prank(GUARDIAN);
        _registry.withdrawDefault("not now");
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NothingProposed.selector));
        _registry.makeDefault();
    }

    function testTheGateIsAsked() public {
        _registry = new ModelRegistry(TASK, ADMIN, PROPOSER, GUARDIAN, DELAY, new WordGate());
        (uint32 version,) = _propose("a");
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(WordGate.WrongWord.selector));
        _registry.allow(version, "");
        _registry.allow(version, "audited");
    }

    function testWhatIsProposedIsWhatIsThere() public {
        ScriptedVerifier verifier = new ScriptedVerifier(keccak256("a"), 3, 1, false);
        bytes32 code = address(verifier).codehash;
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongCode.selector, bytes32(0), code));
        _registry.propose(address(verifier), bytes32(0), keccak256("a"), RELEASE);
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongModel.selector, keccak256("b"), keccak256("a")));
        _registry.propose(address(verifier), code, keccak256("b"), RELEASE);
    }

    function testOneAccountMayNotHoldTwoRolesAndADelayIsNeededOffLocalChains() public {
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.SameAccount.selector));
        new ModelRegistry(TASK, ADMIN, PROPOSER, PROPOSER, DELAY, IGate(address(0)));
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.SameAccount.selector));
        new ModelRegistry(TASK, ADMIN, ADMIN, GUARDIAN, DELAY, IGate(address(0)));
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NoDelay.selector, 1));
        new ModelRegistry(TASK, ADMIN, PROPOSER, GUARDIAN, 0, IGate(address(0)));
        vm.chainId(31_337);
        new ModelRegistry(TASK, ADMIN, ADMIN, ADMIN, 0, IGate(address(0)));
    }

    function testFuzzStrangersMayDoNothing(address caller) public {
        vm.assume(caller != ADMIN && caller != PROPOSER && caller != GUARDIAN);
        (uint32 version, ScriptedVerifier verifier) = _default("a");
        bytes[7] memory calls = [
            abi.encodeCall(ModelRegistry.propose, (address(verifier), address(verifier).codehash, keccak256("a"), 0)),
            abi.encodeCall(ModelRegistry.proposeDefault, (version)),
            abi.encodeCall(ModelRegistry.withdrawDefault, ("")),
            abi.encodeCall(ModelRegistry.back, (version)),
            abi.encodeCall(ModelRegistry.retire, (version, uint64(block.number))),
            abi.encodeCall(ModelRegistry.freeze, (keccak256("a"), "")),
            abi.encodeCall(ModelRegistry.refuse, (version, ""))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool done,) = address(_registry).call(calls[i]);
            if (done) revert("a stranger was let in");
        }
        _expectCurrent(version, address(verifier));
    }

    /// @notice What a consumer pays over pinning: finding the version and checking its code.
    function testCurrentIsCheap() public {
        _default("a");
        _measure();
    }

    function _measure() private view {
        uint256 before = gasleft();
        _registry.current();
        uint256 used = before - gasleft();
        if (used > 15_000) revert Unequal(used, 15_000);
    }

    function _propose(bytes memory name) private returns (uint32 version, ScriptedVerifier verifier) {
        verifier = new ScriptedVerifier(keccak256(name), 3, 1, false);
        bytes32 code = address(verifier).codehash;
        vm.prank(PROPOSER);
        version = _registry.propose(address(verifier), code, keccak256(name), RELEASE);
    }

    function _allowed(bytes memory name) private returns (uint32 version) {
        (version,) = _propose(name);
        vm.warp(block.timestamp + DELAY);
        _registry.allow(version, "");
    }

    function _default(bytes memory name) private returns (uint32 version, ScriptedVerifier verifier) {
        (version, verifier) = _propose(name);
        vm.warp(block.timestamp + DELAY);
        _registry.allow(version, "");
        vm.prank(PROPOSER);
        _registry.proposeDefault(version);
        vm.warp(block.timestamp + DELAY);
        _registry.makeDefault();
    }

    function _expectCurrent(uint32 version, address verifier) private view {
        (uint32 found, address place) = _registry.current();
        assertEq(found, version);
        assertEq(uint160(place), uint160(verifier));
    }

    function _expectNone() private view {
        _expectCurrent(0, address(0));
    }
}
