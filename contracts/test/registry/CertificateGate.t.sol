// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {CertificateGate} from "../../src/registry/CertificateGate.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ScriptedVerifier} from "../helpers/ScriptedVerifier.sol";
import {Test} from "../helpers/Vm.sol";

contract CertificateGateTest is Test {
    address private constant ADMIN = address(0xad);
    address private constant ATTESTER = address(0xa7);
    address private constant PROPOSER = address(0x9e);
    bytes32 private constant MODEL = keccak256("a");
    bytes32 private constant RELEASE = keccak256("release");
    bytes32 private constant CERTIFICATE = keccak256("certificate");

    CertificateGate private _gate;
    ModelRegistry private _registry;

    function setUp() public {
        vm.chainId(31_337);
        _gate = new CertificateGate(ADMIN, ATTESTER, 1 days);
        _registry = new ModelRegistry(0, ADMIN, PROPOSER, address(0x6a), 0, _gate);
    }

    function testAVersionIsAllowedWithAnAttestedCertificateAlone() public {
        uint32 version = _propose("a", RELEASE);
        vm.expectRevert(abi.encodeWithSelector(CertificateGate.NoCertificate.selector, 0));
        _registry.allow(version, "");
        _expectNotAttested(version, MODEL, RELEASE, CERTIFICATE);
        _attest(RELEASE, CERTIFICATE);
        _expectNotAttested(version, MODEL, RELEASE, keccak256("another"));
        _registry.allow(version, abi.encode(CERTIFICATE));
        if (_registry.accepted(version) == address(0)) revert("not allowed");
    }

    function testACertificateIsOfOneRelease() public {
        _attest(RELEASE, CERTIFICATE);
        bytes32 other = keccak256("other");
        _expectNotAttested(_propose("a", other), MODEL, other, CERTIFICATE);
    }

    function testACertificateIsOfOneModel() public {
        _attest(RELEASE, CERTIFICATE);
        // The proposer names the certified release, and another model.
        _expectNotAttested(_propose("b", RELEASE), keccak256("b"), RELEASE, CERTIFICATE);
    }

    function testWhatIsTakenBackCountsNoMore() public {
        uint32 version = _propose("a", RELEASE);
        _attest(RELEASE, CERTIFICATE);
        vm.prank(ATTESTER);
        _gate.takeBack(MODEL, RELEASE, CERTIFICATE);
        _expectNotAttested(version, MODEL, RELEASE, CERTIFICATE);
        vm.prank(ATTESTER);
        vm.expectRevert(abi.encodeWithSelector(CertificateGate.NotAttested.selector, MODEL, RELEASE, CERTIFICATE));
        _gate.takeBack(MODEL, RELEASE, CERTIFICATE);
        _attest(RELEASE, CERTIFICATE);
        _registry.allow(version, abi.encode(CERTIFICATE));
    }

    function testTwiceAndZeroAreRefused() public {
        _attest(RELEASE, CERTIFICATE);
        vm.prank(ATTESTER);
        vm.expectRevert(abi.encodeWithSelector(CertificateGate.AttestedAlready.selector, MODEL, RELEASE, CERTIFICATE));
        _gate.attest(MODEL, RELEASE, CERTIFICATE);
        vm.prank(ATTESTER);
        vm.expectRevert(abi.encodeWithSelector(CertificateGate.NoCertificate.selector, 0));
        _gate.attest(MODEL, RELEASE, 0);
    }

    function testFuzzNobodyElseAttests(address stranger) public {
        vm.assume(stranger != ATTESTER);
        bytes32 role = _gate.ATTESTER();
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, stranger, role)
        );
        _gate.attest(MODEL, RELEASE, CERTIFICATE);
    }

    function testFuzzOnlyTheVeryWordPasses(bytes calldata evidence) public {
        _attest(RELEASE, CERTIFICATE);
        vm.assume(keccak256(evidence) != keccak256(abi.encode(CERTIFICATE)));
        uint32 version = _propose("a", RELEASE);
        try _registry.allow(version, evidence) {
            revert("it passed");
        } catch {}
    }

    function _expectNotAttested(uint32 version, bytes32 model, bytes32 release, bytes32 certificate) private {
        vm.expectRevert(abi.encodeWithSelector(CertificateGate.NotAttested.selector, model, release, certificate));
        _registry.allow(version, abi.encode(certificate));
    }

    function _attest(bytes32 release, bytes32 certificate) private {
        vm.prank(ATTESTER);
        _gate.attest(MODEL, release, certificate);
    }

    function _propose(bytes memory name, bytes32 release) private returns (uint32 version) {
        bytes32 model = keccak256(name);
        ScriptedVerifier verifier = new ScriptedVerifier(model, 3, 1, false);
        vm.prank(PROPOSER);
        version = _registry.propose(address(verifier), address(verifier).codehash, model, release);
    }
}
