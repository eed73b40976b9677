// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifierCalls} from "../VerifierCalls.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IModelRegistry} from "../registry/IModelRegistry.sol";

/// @title What a contract needs that follows the default model of a registry
/// @notice New rows are for the default version; a row that was taken before the default changed may still be settled, as
///         long as the registry accepts its version; an answer counts for `maxAge` and while its version counts.
/// @dev The registry is trusted: its code is fixed and its views cannot revert. The verifiers are not; see VerifierCalls.
abstract contract RegistryFollower {
    /// @notice Who says which versions count.
    IModelRegistry public immutable registry;
    /// @notice Seconds that a row waits for its proof, and that an answer counts, from when the row was taken.
    uint40 public immutable maxAge;
    /// @notice Most gas that a verifier gets for a proof.
    uint256 public immutable verifyGas;

    error BadTerms();
    error NotTheDefault(uint32 version, uint32 current);
    error UnsuitableModel(uint32 version);
    error WrongLength(uint256 expected, uint256 actual);
    error WrongContext(uint256 expected, uint256 actual);
    error RowNotPending(bytes32 pending, bytes32 actual);
    error RowTooOld(uint40 taken);
    error NotAccepted(uint32 version);
    error VerifierFailed(uint32 version);
    error InvalidProof();

    constructor(IModelRegistry registry_, uint40 maxAge_, uint256 verifyGas_) {
        if (maxAge_ == 0 || verifyGas_ == 0) revert BadTerms();
        // It answers, or it is not what it was taken for.
        registry_.current();
        registry = registry_;
        maxAge = maxAge_;
        verifyGas = verifyGas_;
    }

    /// @dev The shape of `version`, which must be the default.
    function _shapeOfDefault(uint32 version) internal view returns (IAssayVerifier.Shape memory shape) {
        (uint32 current, address verifier) = registry.current();
        if (version == 0 || version != current) revert NotTheDefault(version, current);
        bool answered;
        (answered, shape) = VerifierCalls.shape(verifier);
        if (!answered) revert UnsuitableModel(version);
    }

    /// @dev Reverts unless `version` is accepted and its verifier takes the proof. Gives the default, for `_counts`.
    function _verify(uint32 version, bytes calldata proof, uint256[] calldata publicInputs)
        internal
        view
        returns (uint32 current)
    {
        address verifier;
        (current, verifier) = registry.current();
        if (version != current) verifier = registry.accepted(version);
        if (verifier == address(0)) revert NotAccepted(version);
        (bool answered, bool valid) = VerifierCalls.verify(verifier, verifyGas, proof, publicInputs);
        if (!answered) revert VerifierFailed(version);
        if (!valid) revert InvalidProof();
    }

    /// @dev Whether an answer of `version` about a row taken at `taken` (zero for none) counts now.
    function _counts(uint32 version, uint40 taken, uint32 current) internal view returns (bool) {
        if (current == 0 || taken == 0 || block.timestamp - taken > maxAge) return false;
        return version == current || registry.accepted(version) != address(0);
    }
}
