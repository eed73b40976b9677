// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What `assay.chain.state` makes of a block's header and a node's `eth_getProof`.
/// @param header The block's header in RLP.
/// @param account The account's proof: the nodes of the trie one behind the other, the root first. What is embedded in
///        its parent is not there again. A node says itself how long it is.
/// @param slots For each slot its proof in the account's storage, likewise.
struct StateProof {
    bytes header;
    bytes account;
    bytes[] slots;
}

/// @notice What of a header is used.
struct Header {
    uint256 number;
    uint256 timestamp;
    bytes32 stateRoot;
}

/// @title Blocks that this chain knows, and how one that it does not know is refused
library ProvenBlock {
    /// @notice The block is not before this one, or further back than the chain remembers (256 blocks; 8,191 where
    ///         EIP-2935 is). A hash of zero is never compared with.
    error BlockUnknown(uint256 number);
    /// @notice The block is before the oldest that the consumer takes.
    error BlockTooOld(uint256 number, uint256 oldest);
    /// @notice The header is not that of the block whose number it says.
    error WrongHeader(uint256 number, bytes32 expected, bytes32 actual);
    /// @notice The header has not the fields that a header has.
    error MalformedHeader();

    /// @dev EIP-2935's contract: 32 bytes of a number in, 32 bytes of a hash out, a revert where it has none.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice Refuses what does not hash to the block's hash, or is older than `oldest`.
    /// @param number The number that the header says.
    /// @param hash Of the header's bytes.
    function check(uint256 number, bytes32 hash, uint256 oldest) internal view {
        if (number < oldest) revert BlockTooOld(number, oldest);
        bytes32 known = hashOf(number);
        if (known != hash) revert WrongHeader(number, known, hash);
    }

    /// @notice Hash of a past block; never zero.
    function hashOf(uint256 number) internal view returns (bytes32 known) {
        if (number >= block.number) revert BlockUnknown(number);
        known = block.number - number <= 256 ? blockhash(number) : _remembered(number);
        if (known == bytes32(0)) revert BlockUnknown(number);
    }

    function _remembered(uint256 number) private view returns (bytes32 known) {
        (bool there, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        // Where the contract is not, the call goes well and answers nothing.
        if (there && answer.length == 32) known = abi.decode(answer, (bytes32));
    }
}
