// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Header, ProvenBlock, StateProof} from "./StateProof.sol";
import {TrieWalk, Walk} from "./TrieWalk.sol";

/// @title Words of other contracts' storage, proven against a block's hash: from calldata, at the least gas
/// @notice The same functions and refusals as StateRow, which does it by OpenZeppelin's libraries. This one also proves
///         that a slot holds zero.
/// @dev A consumer pins the account and the slots; whoever sends the proof chooses neither. It binds the block, too: by
///      `oldest`, or by comparing the number with the one that it wants. On a chain whose `block.number` is not the
///      number of its own headers (Arbitrum's is of Ethereum's blocks) nothing is accepted.
library StateWalk {
    /// @notice The proof does not lead to the account: where the walk ended says why.
    error AccountNotProven(address account, Walk outcome);
    /// @notice The account has an empty storage: it is none of a contract that keeps something.
    error AccountWithoutStorage(address account);
    /// @notice The account stands in the trie in a form that no account has.
    error MalformedAccount(address account);
    /// @notice The proof does not lead to the slot.
    error SlotNotProven(bytes32 slot, Walk outcome);
    /// @notice The proof shows that the slot holds nothing, which is more often a wrong slot than a zero.
    error SlotAbsent(bytes32 slot);
    /// @notice The slot's value stands in the trie in a form that no word has.
    error MalformedWord(bytes32 slot);
    /// @notice There is not one proof for each slot.
    error WrongCount(uint256 expected, uint256 actual);

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
        bool sound;
        (sound, head) = _fields(rlp);
        if (!sound) revert ProvenBlock.MalformedHeader();
        ProvenBlock.check(head.number, keccak256(rlp), oldest);
    }

    /// @notice Root of an account's storage in a state.
    function storageRoot(bytes32 stateRoot, address account, bytes calldata proof) internal pure returns (bytes32) {
        (Walk outcome, bytes calldata leaf) = TrieWalk.find(stateRoot, keccak256(abi.encodePacked(account)), proof);
        if (outcome != Walk.Found) revert AccountNotProven(account, outcome);
        (bool sound, bytes32 root) = _account(leaf);
        if (!sound) revert MalformedAccount(account);
        if (root == TrieWalk.EMPTY) revert AccountWithoutStorage(account);
        return root;
    }

    /// @notice What a slot holds; reverts if that is nothing.
    function word(bytes32 root, bytes32 slot, bytes calldata proof) internal pure returns (uint256 value) {
        value = wordOrZero(root, slot, proof);
        if (value == 0) revert SlotAbsent(slot);
    }

    /// @notice What a slot holds, zero if it is proven that it holds nothing: for slots that may.
    function wordOrZero(bytes32 root, bytes32 slot, bytes calldata proof) internal pure returns (uint256 value) {
        (Walk outcome, bytes calldata leaf) = TrieWalk.find(root, keccak256(abi.encodePacked(slot)), proof);
        if (outcome == Walk.Absent) return 0;
        if (outcome != Walk.Found) revert SlotNotProven(slot, outcome);
        bool sound;
        (sound, value) = _integer(leaf);
        if (!sound) revert MalformedWord(slot);
    }

    // ---------------------------------------------------------------- RLP of known forms

    /// @dev parentHash, ommersHash and coinbase have 33, 33 and 21 bytes and stateRoot is the fourth; two more roots and
    ///      the bloom filter follow, then integers: difficulty, number, gasLimit, gasUsed, timestamp.
    function _fields(bytes calldata rlp) private pure returns (bool sound, Header memory head) {
        unchecked {
            // A header has more than 500 bytes and less than 64 KiB: a list with a length of two bytes.
            if (rlp.length < 512 || _byte(rlp, 0) != 0xf9 || uint256(_word(rlp, 1)) >> 240 != rlp.length - 3) {
                return (false, head);
            }
            if (_byte(rlp, 3) != 0xa0 || _byte(rlp, 36) != 0xa0 || _byte(rlp, 69) != 0x94 || _byte(rlp, 90) != 0xa0) {
                return (false, head);
            }
            if (_byte(rlp, 123) != 0xa0 || _byte(rlp, 156) != 0xa0 || uint256(_word(rlp, 189)) >> 232 != 0xb90100) {
                return (false, head);
            }
            head.stateRoot = _word(rlp, 91);
            uint256 pos = 448;
            for (uint256 i = 0; i < 5; ++i) {
                uint256 value;
                (sound, value, pos) = _scalar(rlp, pos);
                if (!sound) return (false, head);
                if (i == 1) head.number = value;
                if (i == 4) head.timestamp = value;
            }
        }
    }

    /// @dev An account is the RLP of nonce, balance, root of its storage, hash of its code.
    function _account(bytes calldata rlp) private pure returns (bool sound, bytes32 root) {
        unchecked {
            if (rlp.length < 70 || _byte(rlp, 0) != 0xf8 || _byte(rlp, 1) != rlp.length - 2) return (false, root);
            uint256 pos = 2;
            (sound,, pos) = _scalar(rlp, pos);
            if (!sound) return (false, root);
            (sound,, pos) = _scalar(rlp, pos);
            if (!sound || pos + 66 != rlp.length || _byte(rlp, pos) != 0xa0 || _byte(rlp, pos + 33) != 0xa0) {
                return (false, root);
            }
            root = _word(rlp, pos + 1);
        }
    }

    /// @dev A word's RLP: no bytes of zero in front, and never zero, since such a slot is not in the trie.
    function _integer(bytes calldata rlp) private pure returns (bool sound, uint256 value) {
        uint256 end;
        (sound, value, end) = _scalar(rlp, 0);
        sound = sound && end == rlp.length && value != 0;
    }

    /// @dev An integer of up to 32 bytes in its shortest form, and where it ends.
    function _scalar(bytes calldata rlp, uint256 pos) private pure returns (bool sound, uint256 value, uint256 end) {
        unchecked {
            uint256 prefix = _byte(rlp, pos);
            if (prefix < 0x80) return (prefix != 0 && pos < rlp.length, prefix, pos + 1);
            if (prefix > 0xa0) return (false, 0, 0);
            uint256 length = prefix - 0x80;
            end = pos + 1 + length;
            value = uint256(_word(rlp, pos + 1)) >> (256 - 8 * length);
            sound =
                end <= rlp.length && (length == 0 || value >> (8 * (length - 1)) != 0) && (length != 1 || value > 127);
        }
    }

    function _byte(bytes calldata rlp, uint256 pos) private pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := byte(0, calldataload(add(rlp.offset, pos)))
        }
    }

    function _word(bytes calldata rlp, uint256 pos) private pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := calldataload(add(rlp.offset, pos))
        }
    }
}
