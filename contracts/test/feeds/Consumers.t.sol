// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CreditLimit, Tier} from "../../src/consumers/CreditLimit.sol";
import {RegistryFee} from "../../src/consumers/RegistryFee.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {FixedLimit} from "../../src/examples/FixedLimit.sol";
import {Line} from "../../src/FeeLine.sol";
import {SignedFeed} from "../../src/feeds/SignedFeed.sol";
import {HiddenRow, Row, Withdrawal} from "../../src/feeds/SignedRow.sol";
import {Registered} from "../helpers/Registered.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";

/// @notice Consumers whose feed, or attester, is the contract of the signers: as they are, without a change.
contract SignedConsumersTest is Registered {
    uint256 private constant KEY = 7;
    uint24 private constant FEE = 3000;
    address private constant ALICE = address(0xa11ce);
    bytes private constant PROOF = "proof";

    SignedFeed private _feed;

    function setUp() public {
        _open();
        address[] memory one = new address[](1);
        one[0] = vm.addr(KEY);
        _feed = new SignedFeed(one, 1, address(0), 0);
    }

    function testFuzzAFeeTakesRowsOfTheSignersOnly(uint256[3] memory given, int64 forecast) public {
        (uint32 version, ScriptedVerifier verifier) = _scripted(keccak256("public"));
        _promote(version);
        RegistryFee fee = new RegistryFee(
            _registry, address(_feed), new FixedFee(FEE), 1 days, 1000, 1_000_000, Line(3000, 100_000, 500, 10_000)
        );
        uint256[] memory words = new uint256[](3);
        (words[0], words[1], words[2]) = (given[0], given[1], given[2]);
        Row memory row = Row(address(fee), version, 1, 1, uint64(NOW + 60), words);
        _feed.post(row, _signed(_feed.digestOf(row)));

        uint256[] memory shown = new uint256[](5);
        (shown[0], shown[1], shown[2]) = (given[0], given[1], given[2]);
        (shown[3], shown[4]) = (uint256(int256(forecast)), fee.contextOf(1));
        verifier.accept(PROOF, shown);
        fee.settle(PROOF, shown);
        assertEq(fee.forecastVersion(), version);
    }

    function testFuzzALimitOfARowThatNobodySees(uint256[2] calldata commitment, int64 score) public {
        ScriptedVerifier verifier = new ScriptedVerifier(keccak256("private"), 20, 1, true);
        uint32 version = _allow(address(verifier));
        _promote(version);
        Tier[] memory tiers = new Tier[](1);
        tiers[0] = Tier(0, 5000);
        CreditLimit limits =
            new CreditLimit(_registry, address(_feed), new FixedLimit(100), 1 days, 1_000_000, false, tiers);
        HiddenRow memory row = HiddenRow(address(limits), ALICE, version, 1, 1, uint64(NOW + 60), commitment);
        _feed.attest(row, _signed(_feed.digestOf(row)));

        uint256[] memory shown = new uint256[](4);
        (shown[0], shown[1]) = (commitment[0], commitment[1]);
        (shown[2], shown[3]) = (uint256(int256(score)), limits.contextOf(ALICE, 1));
        verifier.accept(PROOF, shown);
        limits.settle(ALICE, PROOF, shown);
        assertEq(limits.limitOf(ALICE), score < 0 ? 0 : 5000);

        Withdrawal memory taken = Withdrawal(address(limits), ALICE, 1, 2, uint64(NOW + 60), "a mistake");
        _feed.withdraw(taken, _signed(_feed.digestOf(taken)));
        assertEq(limits.limitOf(ALICE), 100);
    }

    function _signed(bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return abi.encodePacked(r, s, v);
    }
}
