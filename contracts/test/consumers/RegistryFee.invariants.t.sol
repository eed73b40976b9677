// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Line} from "../../src/FeeLine.sol";
import {RegistryFee} from "../../src/consumers/RegistryFee.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {HostileVerifier} from "../helpers/HostileVerifier.sol";
import {Registered} from "../helpers/Registered.sol";
import {RegistryActors} from "../helpers/RegistryActors.sol";

/// @notice Everything that a feed, provers, verifiers and the registry's accounts can do to one fee, in any order.
contract FeeActors is RegistryActors {
    uint24 public constant EXISTING = 3000;
    uint24 public constant STEP = 700;
    uint40 public constant AGE = 2 days;
    address private constant FEED = address(0xfeed);

    RegistryFee public immutable source;
    /// @notice Largest move that one settlement made.
    uint256 public largestMove;
    /// @notice Whether a period was settled twice, or by what must not count.
    bool public broken;
    uint256 public settlements;
    mapping(uint64 => bool) private _settled;
    mapping(uint32 => HostileVerifier) private _verifiers;
    uint256[] private _row;

    constructor() {
        _open();
        source = new RegistryFee(
            _registry, FEED, new FixedFee(EXISTING), AGE, STEP, 200_000, Line(500, 200_000, 400, 10_000)
        );
    }

    function promote(uint256 seed) external {
        HostileVerifier verifier = new HostileVerifier(bytes32(seed % 16 + 1));
        uint32 version = _allow(address(verifier));
        _verifiers[version] = verifier;
        _promote(version);
    }

    function turn(uint32 seed, uint8 way) external {
        HostileVerifier verifier = _verifiers[1 + seed % _registry.versionCount()];
        verifier.turn(HostileVerifier.Way(way % 3 == 0 ? way % 7 : 0));
    }

    function post(uint256[3] calldata row) external {
        _row = row;
        (uint32 version,) = _registry.current();
        vm.prank(FEED);
        source.postRow(version, _row);
    }

    function settle(int64 forecast, uint256 context) external {
        uint64 period = source.period();
        uint32 version = source.rowVersion();
        uint256[] memory words = new uint256[](5);
        for (uint256 i = 0; i < 3; ++i) {
            words[i] = _row[i];
        }
        words[3] = uint256(int256(forecast));
        words[4] = context % 4 == 0 ? context : source.contextOf(period);
        uint24 before = source.fee();
        source.settle("", words);
        uint24 stored = source.forecastFee();
        uint256 move = stored > before ? stored - before : before - stored;
        if (move > largestMove) largestMove = move;
        if (_settled[period] || isFrozen[_verifiers[version].modelId()]) broken = true;
        if (words[4] != source.contextOf(period)) broken = true;
        _settled[period] = true;
        ++settlements;
    }

    function pass(uint32 time, uint8 blocks) external {
        vm.warp(block.timestamp + time % 1 days);
        vm.roll(block.number + blocks % 4);
    }

    /// @notice What the fee must be, from the registry alone.
    function expected() external view returns (uint24) {
        (uint32 current,) = _registry.current();
        uint40 time = source.forecastTime();
        if (current == 0 || time == 0 || block.timestamp > time + AGE) return EXISTING;
        uint32 version = source.forecastVersion();
        if (isFrozen[_verifiers[version].modelId()]) return EXISTING;
        if (_registry.versions(version).until < block.number) return EXISTING;
        return source.forecastFee();
    }
}

contract RegistryFeeInvariants is Registered {
    FeeActors private _actors;

    function setUp() public {
        _open();
        _actors = new FeeActors();
    }

    function targetContracts() public view returns (address[] memory found) {
        found = new address[](1);
        found[0] = address(_actors);
    }

    /// @notice Nothing moves the fee by more than a step, settles a period twice or counts for a frozen model.
    function invariant_settlementsKeepTheRules() public view {
        if (_actors.largestMove() > _actors.STEP()) revert("more than a step");
        if (_actors.broken()) revert("settled what must not count");
    }

    /// @notice The fee can always be asked, and is the forecast's only while that counts.
    function invariant_theFeeIsWhatCounts() public view {
        assertEq(_actors.source().fee(), _actors.expected());
    }
}
