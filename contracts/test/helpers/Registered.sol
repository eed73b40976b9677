// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../../src/interfaces/IAssayVerifier.sol";
import {IGate} from "../../src/registry/IGate.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ScriptedVerifier} from "./ScriptedVerifier.sol";
import {Test} from "./Vm.sol";

/// @notice A registry on a local chain, without delay, whose three accounts the test plays.
abstract contract Registered is Test {
    address internal constant PROPOSER = address(0x9e);
    address internal constant GUARDIAN = address(0x6a);
    uint256 internal constant NOW = 1_800_000_000;

    ModelRegistry internal _registry;

    function _open() internal {
        vm.chainId(31_337);
        vm.warp(NOW);
        vm.roll(1000);
        _registry = new ModelRegistry(0, address(0xad), PROPOSER, GUARDIAN, 0, IGate(address(0)));
    }

    /// @notice A scripted verifier of three features, allowed.
    function _scripted(bytes32 model) internal returns (uint32 version, ScriptedVerifier verifier) {
        verifier = new ScriptedVerifier(model, 3, 1, false);
        version = _allow(address(verifier));
    }

    function _allow(address verifier) internal returns (uint32 version) {
        bytes32 model = IAssayVerifier(verifier).modelId();
        vm.prank(PROPOSER);
        version = _registry.propose(verifier, verifier.codehash, model, 0);
        _registry.allow(version, "");
    }

    function _promote(uint32 version) internal {
        vm.prank(PROPOSER);
        _registry.proposeDefault(version);
        _registry.makeDefault();
    }

    function _freeze(bytes32 model) internal {
        vm.prank(GUARDIAN);
        _registry.freeze(model, "");
    }
}
