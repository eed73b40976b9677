// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CreditLimit, Tier} from "../../src/consumers/CreditLimit.sol";
import {FixedLimit} from "../../src/examples/FixedLimit.sol";
import {Registered} from "../helpers/Registered.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";

/// @notice An attester, borrowers, provers and the registry's accounts, in any order.
contract CreditActors is Registered {
    uint256 public constant EXISTING = 100;
    uint40 public constant AGE = 20 days;
    address private constant ATTESTER = address(0xa7);
    uint256 private constant BORROWERS = 3;

    CreditLimit public immutable limits;
    uint256 public settlements;
    bool public broken;
    mapping(uint32 => ScriptedVerifier) private _verifiers;
    mapping(bytes32 => bool) private _frozen;
    mapping(bytes32 => bool) private _settled;
    mapping(uint256 => uint256[2]) private _committed;
    mapping(uint256 => bool) private _withdrawn;

    constructor() {
        _open();
        Tier[] memory tiers = new Tier[](2);
        tiers[0] = Tier(0, 1000);
        tiers[1] = Tier(1e18, 5000);
        limits = new CreditLimit(_registry, ATTESTER, new FixedLimit(EXISTING), AGE, 200_000, false, tiers);
    }

    function promote(uint256 seed) external {
        ScriptedVerifier verifier = new ScriptedVerifier(bytes32(seed % 16 + 1), 4, 1, true);
        uint32 version = _allow(address(verifier));
        _verifiers[version] = verifier;
        _promote(version);
    }

    function retire(uint32 seed, uint8 blocks) external {
        if (seed % 4 != 0) return;
        uint32 version = 1 + seed / 4 % _registry.versionCount();
        vm.prank(PROPOSER);
        _registry.retire(version, uint64(block.number) + blocks % 4);
    }

    function freeze(uint256 seed) external {
        if (seed % 8 != 0) return;
        bytes32 model = bytes32(seed / 8 % 16 + 1);
        _freeze(model);
        _frozen[model] = true;
    }

    function attest(uint8 seed, uint256[2] calldata commitment) external {
        (uint32 version,) = _registry.current();
        vm.prank(ATTESTER);
        limits.attest(borrower(seed), version, commitment);
        _committed[seed % BORROWERS] = commitment;
    }

    function settle(uint8 seed, uint8 other, int64 score, bool valid) external {
        address who = borrower(seed);
        (uint64 period,, uint32 version,,,,,) = limits.accounts(who);
        uint256[] memory words = new uint256[](4);
        // Mostly the borrower's own commitment and context, at times another's.
        uint256 from = other % 8 == 0 ? other / 8 : seed;
        (words[0], words[1]) = (_committed[from % BORROWERS][0], _committed[from % BORROWERS][1]);
        words[2] = uint256(int256(score));
        words[3] = limits.contextOf(borrower(from), period);
        if (valid) _verifiers[version].accept("proof", words);
        limits.settle(who, "proof", words);
        bytes32 key = keccak256(abi.encode(who, period));
        if (_settled[key] || !valid || borrower(from) != who) broken = true;
        if (_frozen[_verifiers[version].modelId()]) broken = true;
        _settled[key] = true;
        _withdrawn[seed % BORROWERS] = false;
        ++settlements;
    }

    function withdraw(uint8 seed) external {
        vm.prank(ATTESTER);
        limits.withdraw(borrower(seed), "");
        _withdrawn[seed % BORROWERS] = true;
    }

    function pass(uint32 time, uint8 blocks) external {
        vm.warp(block.timestamp + time % 5 days);
        vm.roll(block.number + blocks % 4);
    }

    function borrower(uint256 seed) public pure returns (address) {
        return address(uint160(0xb000 + seed % BORROWERS));
    }

    /// @notice What a borrower's limit must be, from the registry alone.
    function expected(uint256 which) external view returns (uint256) {
        (,,,, uint40 time, uint32 version,, uint256 limit) = limits.accounts(borrower(which));
        (uint32 current,) = _registry.current();
        if (current == 0 || time == 0 || block.timestamp > time + AGE || _withdrawn[which]) return EXISTING;
        if (_frozen[_verifiers[version].modelId()] || _registry.versions(version).until < block.number) {
            return EXISTING;
        }
        return limit;
    }
}

contract CreditLimitInvariants is Registered {
    CreditActors private _actors;

    function setUp() public {
        _open();
        _actors = new CreditActors();
    }

    function targetContracts() public view returns (address[] memory found) {
        found = new address[](1);
        found[0] = address(_actors);
    }

    /// @notice No attestation is settled twice, by another's proof, by an invalid one, or for a frozen model.
    function invariant_settlementsKeepTheRules() public view {
        if (_actors.broken()) revert("settled what must not count");
    }

    /// @notice The limit can always be asked, is a tier's or the existing one, and is a score's only while that counts.
    function invariant_theLimitIsWhatCounts() public view {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 limit = _actors.limits().limitOf(_actors.borrower(i));
            assertEq(limit, _actors.expected(i));
            if (limit != 0 && limit != 1000 && limit != 5000) assertEq(limit, _actors.EXISTING());
        }
    }
}
