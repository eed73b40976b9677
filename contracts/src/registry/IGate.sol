// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title What must hold before a version may be used
/// @notice A registry asks its gate before a version becomes allowed: an audit's signature, a certificate of accuracy,
///         a vote. The gate reverts, with its own reason, to refuse.
interface IGate {
    /// @param task The task of the registry that asks.
    /// @param modelId Digest of the model's verifying key.
    /// @param release Digest of the release's public part.
    /// @param evidence What the proposer gave.
    function check(bytes32 task, bytes32 modelId, bytes32 release, bytes calldata evidence) external view;
}
