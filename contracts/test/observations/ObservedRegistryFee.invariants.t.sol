// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Line} from "../../src/FeeLine.sol";
import {ObservedRegistryFee} from "../../src/consumers/ObservedRegistryFee.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {ModelWithRow} from "../../src/registry/ModelWithRow.sol";
import {HistoryRow} from "../helpers/HistoryRow.sol";
import {Registered} from "../helpers/Registered.sol";
import {RegistryActors} from "../helpers/RegistryActors.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {PlainHistory, Series} from "../helpers/Series.sol";

/// @notice Traders, provers and the registry's accounts, in any order; a settlement is tried with the row by definition.
contract ObservedActors is RegistryActors {
    uint24 public constant EXISTING = 3000;
    uint40 public constant AGE = 6 hours;
    uint32 private constant HOUR = 3600;

    ObservedRegistryFee public immutable source;
    /// @notice Whether something was settled that must not be, or refused that must be settled.
    bool public broken;
    uint256 public settlements;
    Series private _series;
    PlainHistory private _plain;
    mapping(uint32 => ScriptedVerifier) private _verifiers;

    constructor() {
        _open();
        _series = new Series(1e12, HOUR, 12);
        _plain = new PlainHistory(1e12, HOUR);
        source = new ObservedRegistryFee(
            _registry, _series, 0, new FixedFee(EXISTING), AGE, 500_000, Line(500, 200_000, 400, 10_000)
        );
    }

    function trade(uint64 price, uint32 traded) external {
        uint256 to = 1e12 + uint256(price) % 1e11;
        _series.trade(to, traded);
        _plain.trade(to, traded);
    }

    function pass(uint32 time, uint8 blocks) external {
        vm.warp(block.timestamp + time % 3 hours);
        vm.roll(block.number + blocks % 4);
    }

    function promote(uint256 seed) external {
        ScriptedVerifier verifier = new ScriptedVerifier(bytes32(seed % 16 + 1), 2, 1, false);
        HistoryRow row = new HistoryRow(seed % 2 == 1);
        bytes32 code = address(verifier).codehash;
        uint32 version =
            _allow(address(new ModelWithRow(verifier, code, verifier.modelId(), row, address(row).codehash)));
        _verifiers[version] = verifier;
        _promote(version);
    }

    /// @notice With the row by its definition, turned as the default's is, or another version's.
    function settle(int64 forecast, bool turned) external {
        (uint32 version,) = _registry.current();
        _plain.advance();
        (bool known, uint256 price,,, uint256 volume) = _plain.known(0);
        (bool before,,,, uint256 past) = _plain.known(2);
        uint256[] memory words = new uint256[](4);
        uint256 place = turned ? 1 : 0;
        (words[place], words[1 - place]) = (price, volume - (before ? past : 0));
        words[2] = uint256(int256(forecast));
        if (version != 0) _verifiers[version].accept("", words);
        uint256 end = block.timestamp / HOUR * HOUR;
        bool own = version != 0 && turned == (uint256(_verifiers[version].modelId()) % 2 == 0);
        bool fresh = source.forecastTime() < end || source.forecastVersion() != version;
        bool done;
        try source.settle("", words) {
            done = true;
        } catch {}
        // Of a trade without an amount both words could be alike; prices are far beyond any volume here.
        if (done != (own && known && before && fresh)) broken = true;
        if (done && (isFrozen[_verifiers[version].modelId()] || source.forecastTime() != end)) broken = true;
        if (done) ++settlements;
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

contract ObservedRegistryFeeInvariants is Registered {
    ObservedActors private _actors;

    function setUp() public {
        _open();
        _actors = new ObservedActors();
    }

    function targetContracts() public view returns (address[] memory found) {
        found = new address[](1);
        found[0] = address(_actors);
    }

    /// @notice Exactly the default's proof of exactly its own row of the last whole bar settles, and each default's once.
    function invariant_whatSettlesIsTheDefaultsOwnRow() public view {
        if (_actors.broken()) revert("settled what must not be, or refused what must");
    }

    /// @notice The fee can always be asked, and is the forecast's only while that counts.
    function invariant_theFeeIsWhatCounts() public view {
        assertEq(_actors.source().fee(), _actors.expected());
    }
}
