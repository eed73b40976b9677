// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGate} from "../../src/registry/IGate.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {Test} from "../helpers/Vm.sol";

/// @notice Everything that the three accounts and time can do, in any order.
contract Actors is Test {
    address private constant PROPOSER = address(0x9e);
    address private constant GUARDIAN = address(0x6a);
    uint256 private constant MODELS = 16;

    ModelRegistry public immutable registry;
    mapping(uint32 => bool) public wasDefault;
    mapping(bytes32 => bool) public wasFrozen;
    mapping(uint32 => bool) public wasRefused;

    constructor(ModelRegistry registry_) {
        registry = registry_;
    }

    function propose(uint256 seed) external {
        ScriptedVerifier verifier = new ScriptedVerifier(bytes32(seed % MODELS + 1), 3, 1, false);
        bytes32 code = address(verifier).codehash;
        bytes32 model = verifier.modelId();
        vm.prank(PROPOSER);
        registry.propose(address(verifier), code, model, 0);
    }

    function allow(uint32 seed) external {
        registry.allow(_some(seed), "");
    }

    function refuse(uint32 seed) external {
        if (seed % 8 != 0) return;
        uint32 version = _some(seed / 8);
        vm.prank(GUARDIAN);
        registry.refuse(version, "");
        wasRefused[version] = true;
    }

    function proposeDefault(uint32 seed) external {
        uint32 version = _some(seed);
        vm.prank(PROPOSER);
        registry.proposeDefault(version);
    }

    function makeDefault() external {
        registry.makeDefault();
        wasDefault[registry.defaultVersion()] = true;
    }

    /// @notice The whole way at once, which steps drawn by chance seldom take.
    function decide(uint256 seed) external {
        this.propose(seed);
        uint32 version = registry.versionCount();
        vm.warp(block.timestamp + 1 days);
        registry.allow(version, "");
        vm.prank(PROPOSER);
        registry.proposeDefault(version);
        vm.warp(block.timestamp + 1 days);
        this.makeDefault();
    }

    function back(uint32 seed) external {
        uint32 version = _some(seed);
        bool decided = wasDefault[version];
        vm.prank(GUARDIAN);
        registry.back(version);
        if (!decided) revert("went back to what never decided");
    }

    function retire(uint32 seed, uint8 blocks) external {
        if (seed % 4 != 0) return;
        uint32 version = _some(seed / 4);
        vm.prank(PROPOSER);
        registry.retire(version, uint64(block.number) + blocks);
    }

    function freeze(uint256 seed) external {
        // Rarely: a frozen model stays out for the whole run.
        bytes32 model = bytes32(seed % (64 * MODELS) + 1);
        vm.prank(GUARDIAN);
        registry.freeze(model, "");
        wasFrozen[model] = true;
    }

    function pass(uint32 time, uint8 blocks) external {
        vm.warp(block.timestamp + 12 hours + time % 3 days);
        vm.roll(block.number + blocks);
    }

    function _some(uint32 seed) private view returns (uint32) {
        // The newest three: with all of them most steps would be of versions that nobody allows any more.
        uint32 count = registry.versionCount();
        return count - seed % (count < 3 ? count + 1 : 3);
    }
}

contract ModelRegistryInvariants is Test {
    ModelRegistry private _registry;
    Actors private _actors;

    function setUp() public {
        vm.chainId(1);
        vm.warp(1_800_000_000);
        vm.roll(20_000_000);
        _registry = new ModelRegistry(0, address(0xad), address(0x9e), address(0x6a), 1 days, IGate(address(0)));
        _actors = new Actors(_registry);
    }

    function targetContracts() public view returns (address[] memory found) {
        found = new address[](1);
        found[0] = address(_actors);
    }

    /// @notice What decides is allowed, not frozen, not retired, not refused, and waited its time.
    function invariant_whatDecidesMayDecide() public view {
        (uint32 version, address verifier) = _registry.current();
        if (version == 0) {
            assertEq(uint160(verifier), 0);
            return;
        }
        ModelRegistry.Version memory found = _registry.versions(version);
        if (_actors.wasFrozen(found.modelId)) revert("frozen");
        if (_actors.wasRefused(version)) revert("refused");
        if (found.readyAt > block.timestamp) revert("too early");
        assertEq(found.until, type(uint64).max);
        assertEq(uint256(found.state), uint256(ModelRegistry.State.Allowed));
        assertEq(uint160(_registry.accepted(version)), uint160(verifier));
        if (!_actors.wasDefault(version)) revert("never made the default");
    }

    /// @notice No frozen, refused or retired version's proofs count.
    function invariant_whatIsAcceptedMayBe() public view {
        for (uint32 version = 1; version <= _registry.versionCount(); ++version) {
            if (_registry.accepted(version) == address(0)) continue;
            ModelRegistry.Version memory found = _registry.versions(version);
            if (_actors.wasFrozen(found.modelId) || _actors.wasRefused(version)) revert("accepted");
            if (block.number > found.until || found.readyAt > block.timestamp) revert("out of its time");
        }
    }
}
