// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice Where a walk ended.
enum Walk {
    // The trie has the key, with a value.
    Found,
    // The trie has not the key: the proof shows where it would be.
    Absent,
    // A node is not the one whose hash the root, or its parent, names.
    WrongNode,
    // A node is none of a trie whose keys have 32 bytes.
    Malformed,
    // The proof ends before the key does.
    TooShort,
    // Something is left behind the last node.
    TooLong
}

/// @title What a Merkle-Patricia trie has at a key, by a proof that stays in calldata
/// @notice For tries with keys of 32 bytes, as Ethereum's state and storage are. Follows appendix D of the yellow paper.
/// @dev Nothing is copied but what is hashed. Each node is checked to its last byte, whether the key leads there or not:
///      whatever this accepts OpenZeppelin's TrieProof accepts, with the same value; this also proves absence.
///      No length of a proof leads to a loop that the proof's own bytes do not pay for.
library TrieWalk {
    /// @dev Root of a trie with nothing in it: the hash of an empty string's RLP.
    bytes32 internal constant EMPTY = 0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;

    uint256 private constant NIBBLES = 64;
    uint256 private constant HASH = 0xa0;
    uint256 private constant NOTHING = 0x80;

    /// @notice Look a key up.
    /// @param root Hash of the root node; whoever calls knows that it is a trie's.
    /// @param key As it stands in the trie: Ethereum's tries have the hash of an address or a slot.
    /// @param proof The nodes from the root to the key, one behind the other.
    /// @return outcome Where it ended.
    /// @return value What the trie has there, if it was found.
    function find(bytes32 root, bytes32 key, bytes calldata proof)
        internal
        pure
        returns (Walk outcome, bytes calldata value)
    {
        value = proof[:0];
        uint256 pos;
        uint256 end;
        assembly ("memory-safe") {
            pos := proof.offset
            end := add(pos, proof.length)
        }
        if (root == EMPTY) return (pos == end ? Walk.Absent : Walk.TooLong, value);
        uint256 depth;
        bytes32 expected = root;
        // Each round is one node that was hashed; what is embedded in it is gone through with it.
        while (true) {
            if (pos >= end) return (Walk.TooShort, value);
            (uint256 head, uint256 tail) = _list(pos, end);
            if (tail == 0) return (Walk.Malformed, value);
            if (_hash(pos, tail) != expected) return (Walk.WrongNode, value);
            unchecked {
                // What has less than 32 bytes is embedded, unless it is the root.
                if (depth != 0 && tail - pos < 32) return (Walk.Malformed, value);
            }
            pos = tail;
            while (true) {
                (outcome, depth, head, tail) = _step(key, depth, head, tail);
                if (outcome == Walk.Malformed) return (outcome, value);
                if (outcome != Walk.TooShort) {
                    if (pos != end) return (Walk.TooLong, value);
                    if (outcome == Walk.Found) {
                        assembly ("memory-safe") {
                            value.offset := head
                            value.length := sub(tail, head)
                        }
                    }
                    return (outcome, value);
                }
                if (tail == 0) break;
            }
            expected = _word(head);
        }
    }

    // ---------------------------------------------------------------- nodes

    /// @dev Goes through one node.
    /// @param head Where its first item begins.
    /// @param tail Where its last item ends.
    /// @return outcome TooShort where the walk goes on.
    /// @return below Nibbles of the key that are used up.
    /// @return first Found: where the value begins. TooShort: where an embedded node's items begin, or a child's hash does.
    /// @return last Found: where the value ends. TooShort: where an embedded node's items end, or zero for a hash.
    function _step(bytes32 key, uint256 depth, uint256 head, uint256 tail)
        private
        pure
        returns (Walk outcome, uint256 below, uint256 first, uint256 last)
    {
        unchecked {
            uint256 second = head + _size(head);
            if (second < tail && second + _size(second) == tail) return _pair(key, depth, head, second, tail);
            if (depth == NIBBLES) return (Walk.Malformed, 0, 0, 0);
            uint256 child = _branch(head, tail, uint256(key << (4 * depth)) >> 252);
            if (child == 0) return (Walk.Malformed, 0, 0, 0);
            if (_byte(child) == NOTHING) return (Walk.Absent, 0, 0, 0);
            (first, last) = _child(child);
            return (Walk.TooShort, depth + 1, first, last);
        }
    }

    /// @dev Checks all of a branch; returns where the child of a nibble begins, or zero if this is no branch.
    function _branch(uint256 head, uint256 tail, uint256 nibble) private pure returns (uint256 child) {
        assembly ("memory-safe") {
            let item := head
            for { let i := 0 } lt(i, 16) { i := add(i, 1) } {
                if eq(i, nibble) { child := item }
                let prefix := byte(0, calldataload(item))
                switch prefix
                case 0xa0 { item := add(item, 33) }
                case 0x80 { item := add(item, 1) }
                default {
                    // An embedded node has items and less than 32 bytes.
                    switch and(gt(prefix, 0xc0), lt(prefix, 0xdf))
                    case 1 { item := add(item, sub(prefix, 0xbf)) }
                    default { item := tail }
                }
            }
            // No key ends in a branch where all are of one length: it has no value.
            if iszero(and(eq(add(item, 1), tail), eq(byte(0, calldataload(item)), 0x80))) { child := 0 }
        }
    }

    /// @dev A leaf or an extension.
    function _pair(bytes32 key, uint256 depth, uint256 head, uint256 second, uint256 tail)
        private
        pure
        returns (Walk, uint256, uint256, uint256)
    {
        unchecked {
            (uint256 length, bool leaf, bool here) = _path(key << (4 * depth), head, second);
            if (leaf) return _leaf(length == NIBBLES - depth, here, second, tail);
            if (length == 0 || length >= NIBBLES - depth) return (Walk.Malformed, 0, 0, 0);
            return _extension(depth + length, here, second);
        }
    }

    function _leaf(bool ends, bool here, uint256 item, uint256 tail)
        private
        pure
        returns (Walk, uint256, uint256, uint256)
    {
        uint256 value = _string(item, tail);
        if (!ends || value == 0) return (Walk.Malformed, 0, 0, 0);
        return here ? (Walk.Found, NIBBLES, value, tail) : (Walk.Absent, 0, 0, 0);
    }

    function _extension(uint256 below, bool here, uint256 item)
        private
        pure
        returns (Walk, uint256, uint256 first, uint256 last)
    {
        uint256 prefix = _byte(item);
        if (prefix != HASH && (prefix < 0xc1 || prefix > 0xde)) return (Walk.Malformed, 0, 0, 0);
        if (!here) return (Walk.Absent, 0, 0, 0);
        (first, last) = _child(item);
        return (Walk.TooShort, below, first, last);
    }

    /// @dev The path of a leaf or an extension (the yellow paper's HP).
    /// @param rest What is left of the key, its first nibble highest.
    /// @return length Its nibbles; more than any key has if it is malformed.
    /// @return leaf Whether the node is a leaf.
    /// @return here Whether the rest of the key begins with it.
    function _path(bytes32 rest, uint256 head, uint256 second)
        private
        pure
        returns (uint256 length, bool leaf, bool here)
    {
        unchecked {
            uint256 prefix = _byte(head);
            uint256 start = prefix < NOTHING ? head : head + 1;
            uint256 flags = _byte(start);
            bool odd = flags & 0x10 != 0;
            // Two flags; an even path has a nibble of zero behind them; a single byte stands by itself; and a string
            // of more than 55 bytes, or a list, is no path.
            if (flags > 0x3f || (!odd && flags & 0x0f != 0) || prefix > 0xa1 || prefix == NOTHING || prefix == 0x81) {
                return (type(uint256).max, true, false);
            }
            length = 2 * (second - start - 1) + (odd ? 1 : 0);
            leaf = flags & 0x20 != 0;
            bytes32 path = odd ? _word(start) << 4 : _word(start + 1);
            here = uint256(path ^ rest) >> (256 - 4 * length) == 0;
        }
    }

    /// @dev A child that is there: where its hash begins and zero, or where the items of an embedded node begin and end.
    function _child(uint256 item) private pure returns (uint256 first, uint256 last) {
        unchecked {
            uint256 prefix = _byte(item);
            first = item + 1;
            last = prefix == HASH ? 0 : first + prefix - 0xc0;
        }
    }

    // ---------------------------------------------------------------- RLP

    /// @dev Bytes of an item, or more than there can be if it is not the shortest form or longer than any in a node.
    function _size(uint256 item) private pure returns (uint256) {
        unchecked {
            uint256 prefix = _byte(item);
            if (prefix < NOTHING) return 1;
            if (prefix == 0x81 && _byte(item + 1) < NOTHING) return type(uint128).max;
            if (prefix < 0xb8) return prefix - 0x7f;
            if (prefix == 0xb8 && _byte(item + 1) > 55) return 2 + _byte(item + 1);
            if (prefix >= 0xc0 && prefix < 0xf8) return prefix - 0xbf;
            return type(uint128).max;
        }
    }

    /// @dev Where the content of a string that is not empty begins, or zero. Its size was checked.
    function _string(uint256 item, uint256 tail) private pure returns (uint256) {
        unchecked {
            uint256 prefix = _byte(item);
            if (prefix >= 0xc0 || prefix == NOTHING || item >= tail) return 0;
            if (prefix < NOTHING) return item;
            return prefix < 0xb8 ? item + 1 : item + 2;
        }
    }

    /// @dev Where a list's items begin and end; zeros if it is not the shortest form or longer than what is there.
    function _list(uint256 item, uint256 end) private pure returns (uint256 head, uint256 tail) {
        unchecked {
            uint256 prefix = _byte(item);
            if (prefix < 0xc0) return (0, 0);
            uint256 length;
            if (prefix < 0xf8) {
                (head, length) = (item + 1, prefix - 0xc0);
            } else if (prefix == 0xf8) {
                (head, length) = (item + 2, _byte(item + 1));
                if (length < 56) return (0, 0);
            } else if (prefix == 0xf9) {
                (head, length) = (item + 3, uint256(_word(item + 1)) >> 240);
                if (length < 256) return (0, 0);
            } else {
                return (0, 0);
            }
            tail = head + length;
            if (tail > end) return (0, 0);
        }
    }

    // ---------------------------------------------------------------- calldata

    function _byte(uint256 pos) private pure returns (uint256 found) {
        assembly ("memory-safe") {
            found := byte(0, calldataload(pos))
        }
    }

    function _word(uint256 pos) private pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := calldataload(pos)
        }
    }

    function _hash(uint256 from, uint256 to) private pure returns (bytes32 found) {
        assembly ("memory-safe") {
            // Behind what is in use, where nothing is kept.
            let free := mload(0x40)
            calldatacopy(free, from, sub(to, from))
            found := keccak256(free, sub(to, from))
        }
    }
}
