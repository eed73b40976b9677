// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {IGate} from "./IGate.sol";

/// @title Lets a version pass that shows a certificate which somebody attests to
/// @notice A certificate is a file that says something of a release, such as its accuracy on data that nobody chose. It
///         stays where it is; its digest is attested here, for one model under one release, by whoever checked the file.
///         The evidence that a proposer gives is `abi.encode(digest)`.
/// @dev Attesting says nothing of a model by itself: whoever follows the registry trusts the attesters. One gate may
///      serve several registries, since a release's digest binds its task. On the chain nothing binds the model to the
///      release that a proposer names, so both are attested. Taking back an attestation stops what is not allowed yet; a
///      version that is allowed already is the registry's guardian's to freeze.
contract CertificateGate is IGate, AccessControlDefaultAdminRules {
    /// @notice May attest certificates and take them back.
    bytes32 public constant ATTESTER = keccak256("ATTESTER");

    /// @notice Whether a certificate is attested for a model under a release.
    mapping(bytes32 modelId => mapping(bytes32 release => mapping(bytes32 certificate => bool))) public attested;

    event CertificateAttested(
        bytes32 indexed modelId, bytes32 indexed release, bytes32 indexed certificate, address attester
    );
    event CertificateTakenBack(
        bytes32 indexed modelId, bytes32 indexed release, bytes32 indexed certificate, address attester
    );

    error NoCertificate(uint256 length);
    error NotAttested(bytes32 modelId, bytes32 release, bytes32 certificate);
    error AttestedAlready(bytes32 modelId, bytes32 release, bytes32 certificate);

    /// @param admin Gives and takes the role; hands itself over in two steps, after the delay.
    /// @param attester First holder of it.
    /// @param delay Seconds that handing over the admin's role waits.
    constructor(address admin, address attester, uint48 delay) AccessControlDefaultAdminRules(delay, admin) {
        _grantRole(ATTESTER, attester);
    }

    /// @notice Say that a certificate was checked and is of this model and release.
    /// @param modelId Digest of the verifying key that the release's model has.
    /// @param release Digest of the release's public part.
    /// @param certificate Digest of the certificate; not zero.
    function attest(bytes32 modelId, bytes32 release, bytes32 certificate) external onlyRole(ATTESTER) {
        if (certificate == 0) revert NoCertificate(0);
        if (attested[modelId][release][certificate]) revert AttestedAlready(modelId, release, certificate);
        attested[modelId][release][certificate] = true;
        emit CertificateAttested(modelId, release, certificate, msg.sender);
    }

    /// @notice Take an attestation back.
    function takeBack(bytes32 modelId, bytes32 release, bytes32 certificate) external onlyRole(ATTESTER) {
        if (!attested[modelId][release][certificate]) revert NotAttested(modelId, release, certificate);
        attested[modelId][release][certificate] = false;
        emit CertificateTakenBack(modelId, release, certificate, msg.sender);
    }

    /// @inheritdoc IGate
    function check(bytes32, bytes32 modelId, bytes32 release, bytes calldata evidence) external view {
        if (evidence.length != 32) revert NoCertificate(evidence.length);
        bytes32 certificate = abi.decode(evidence, (bytes32));
        if (!attested[modelId][release][certificate]) revert NotAttested(modelId, release, certificate);
    }
}
