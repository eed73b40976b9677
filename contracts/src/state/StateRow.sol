// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {Header, ProvenBlock, StateProof} from "./StateProof.sol";

/// @title Words of other contracts' storage, proven against a block's hash: by OpenZeppelin's libraries
/// @notice For whoever wants code that many have read; StateWalk does the same for less gas. It proves what a slot holds,
///         not that it holds nothing.
/// @dev Compile with `via_ir`, or it costs half as much again. See StateWalk for what a consumer must bind.
library StateRow {
    /// @notice The proof does not lead to the account: OpenZeppelin's word for why.
    error AccountNotProven(address account, TrieProof.ProofError fault);
    /// @notice The account has an empty storage: it is none of a contract that keeps something.
    error AccountWithoutStorage(address account);
    /// @notice The account stands in the trie in a form that no account has.
    error MalformedAccount(address account);
    /// @notice The proof does not lead to a value of the slot: it is of another one, or the slot holds nothing.
    error SlotNotProven(bytes32 slot, TrieProof.ProofError fault);
    /// @notice A proof is no row of nodes.
    error MalformedProof();
    /// @notice There is not one proof for each slot.
    error WrongCount(uint256 expected, uint256 actual);

    /// @dev Root of a trie with nothing in it.
    bytes32 private constant EMPTY = 0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;

    /// @notice The words of an account's slots at the block whose header the proof has.
    /// @param proof What `assay.chain.state` made.
    /// @param oldest The oldest block that is taken.
    /// @param account Whose storage.
    /// @param slots Which slots; each must hold something.
    function words(StateProof calldata proof, uint256 oldest, address account, bytes32[] memory slots)
        internal
        view
        returns (Header memory head, uint256[] memory found)
    {
        if (proof.slots.length != slots.length) revert WrongCount(slots.length, proof.slots.length);
        head = header(proof.header, oldest);
        bytes32 root = storageRoot(head.stateRoot, account, proof.account);
        found = new uint256[](slots.length);
        for (uint256 i = 0; i < slots.length; ++i) {
            found[i] = word(root, slots[i], proof.slots[i]);
        }
    }

    /// @notice A header of this chain, from its RLP.
    function header(bytes calldata rlp, uint256 oldest) internal view returns (Header memory head) {
        Memory.Slice[] memory fields = BlockHeader.parseHeader(rlp);
        head = Header(BlockHeader.getNumber(fields), BlockHeader.getTimestamp(fields), BlockHeader.getStateRoot(fields));
        ProvenBlock.check(head.number, keccak256(rlp), oldest);
    }

    /// @notice Root of an account's storage in a state.
    function storageRoot(bytes32 stateRoot, address account, bytes calldata proof)
        internal
        pure
        returns (bytes32 root)
    {
        (bytes memory leaf, TrieProof.ProofError fault) = TrieProof.tryTraverse(
            stateRoot, abi.encodePacked(keccak256(abi.encodePacked(account))), nodes(proof)
        );
        if (fault != TrieProof.ProofError.NO_ERROR) revert AccountNotProven(account, fault);
        Memory.Slice[] memory fields = RLP.decodeList(leaf);
        if (fields.length != 4) revert MalformedAccount(account);
        root = RLP.readBytes32(fields[2]);
        if (root == EMPTY) revert AccountWithoutStorage(account);
    }

    /// @notice What a slot holds; reverts if that is nothing.
    function word(bytes32 root, bytes32 slot, bytes calldata proof) internal pure returns (uint256) {
        (bytes memory leaf, TrieProof.ProofError fault) =
            TrieProof.tryTraverse(root, abi.encodePacked(keccak256(abi.encodePacked(slot))), nodes(proof));
        if (fault != TrieProof.ProofError.NO_ERROR) revert SlotNotProven(slot, fault);
        return RLP.decodeUint256(leaf);
    }

    /// @notice A proof's nodes one by one, as TrieProof takes them.
    function nodes(bytes calldata proof) internal pure returns (bytes[] memory found) {
        uint256 count;
        for (uint256 pos = 0; pos < proof.length; ++count) {
            pos += _size(proof[pos:]);
        }
        found = new bytes[](count);
        uint256 from;
        for (uint256 i = 0; i < count; ++i) {
            uint256 size = _size(proof[from:]);
            found[i] = proof[from:from + size];
            from += size;
        }
    }

    /// @dev Bytes of the list at the beginning; TrieProof decodes it and refuses one that is not whole.
    function _size(bytes calldata rest) private pure returns (uint256 size) {
        uint256 prefix = uint8(rest[0]);
        if (prefix < 0xc0 || prefix > 0xf9) revert MalformedProof();
        uint256 long = prefix < 0xf8 ? 0 : prefix - 0xf7;
        if (rest.length < 1 + long) revert MalformedProof();
        size = 1 + long + (long == 0 ? prefix - 0xc0 : uint256(bytes32(rest[1:])) >> (256 - 8 * long));
        if (size > rest.length) revert MalformedProof();
    }
}
