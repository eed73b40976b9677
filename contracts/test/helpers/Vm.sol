// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice The cheat codes of Foundry's test runner that the tests here use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    /// @notice The next call comes from `sender`.
    function prank(address sender) external;
    /// @notice The next call must revert with exactly `data`.
    function expectRevert(bytes calldata data) external;
    /// @notice The next call must emit the event that is emitted after this.
    function expectEmit() external;
    /// @notice Discards the run of a fuzz test unless `condition`.
    function assume(bool condition) external pure;
    /// @notice Sets the time of the block.
    function warp(uint256 timestamp) external;
    /// @notice Sets the block's number.
    function roll(uint256 number) external;
    /// @notice No slot of `target` counts as accessed any more.
    function cool(address target) external;
    /// @notice Sets the chain's id.
    function chainId(uint256 id) external;
    /// @notice Puts code at an address.
    function etch(address target, bytes calldata code) external;
    /// @notice The creation code in a compiler's artefact.
    function getCode(string calldata path) external view returns (bytes memory);
    /// @notice The bytes of a file.
    function readFileBinary(string calldata path) external view returns (bytes memory);
    /// @notice The account of a private key.
    function addr(uint256 key) external pure returns (address);
    /// @notice A private key's signature of a digest.
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    /// @notice From now on what is emitted is kept.
    function recordLogs() external;
    /// @notice What was emitted since.
    function getRecordedLogs() external returns (Log[] memory);
}

/// @notice What a test contract starts from.
abstract contract Test {
    error Unequal(uint256 actual, uint256 expected);

    /// @dev Address that Foundry reserves for cheat codes: the low 20 bytes of keccak256("hevm cheat code").
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function assertEq(uint256 actual, uint256 expected) internal pure {
        if (actual != expected) revert Unequal(actual, expected);
    }
}
