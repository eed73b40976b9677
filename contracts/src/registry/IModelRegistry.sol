// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Which versions of a model a consumer may follow
/// @notice Versions are numbered from 1 and never change; 0 is none. One of the allowed ones is the default.
interface IModelRegistry {
    /// @notice The default version and its verifier. Both are zero if there is none, its model is frozen, or the code
    ///         at its address is not what was allowed: the consumer then falls back to what decided before.
    function current() external view returns (uint32 version, address verifier);

    /// @notice The verifier of a version whose proofs count in this block; zero if they do not.
    function accepted(uint32 version) external view returns (address verifier);

    /// @notice Digest of the task that all versions answer.
    function task() external view returns (bytes32);
}
