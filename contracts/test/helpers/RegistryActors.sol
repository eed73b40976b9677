// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Registered} from "./Registered.sol";

/// @notice What the registry's accounts can do to the versions that there are, in any order.
abstract contract RegistryActors is Registered {
    mapping(bytes32 => bool) public isFrozen;

    function back(uint32 seed) external {
        uint32 version = 1 + seed % _registry.versionCount();
        vm.prank(GUARDIAN);
        _registry.back(version);
    }

    function retire(uint32 seed, uint8 blocks) external {
        uint32 version = 1 + seed % _registry.versionCount();
        vm.prank(PROPOSER);
        _registry.retire(version, uint64(block.number) + blocks % 4);
    }

    /// @notice Of the models 1 to 16.
    function freeze(uint256 seed) external {
        if (seed % 4 != 0) return;
        bytes32 model = bytes32(seed / 4 % 16 + 1);
        _freeze(model);
        isFrozen[model] = true;
    }
}
