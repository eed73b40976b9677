// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {TrieWalk, Walk} from "../../src/state/TrieWalk.sol";
import {Test} from "../helpers/Vm.sol";
import {Case, Tries} from "./Tries.sol";

/// @notice The walker against OpenZeppelin's TrieProof, on tries that py-trie made.
contract TrieWalkTest is Test {
    uint256 private constant MUTATIONS = 10_000;
    uint256 private constant ALTERED = 3000;

    Tries private immutable _tries = new Tries();

    function _cases() private view returns (Case[] memory) {
        return abi.decode(vm.readFileBinary("test/fixtures/tries.bin"), (Case[]));
    }

    /// @notice Every key that is there is found, with its value; of every other the proof shows that it is absent.
    function testEveryTrieIsReadAsItsMakerReadsIt() public view {
        Case[] memory cases = _cases();
        uint256 absent;
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory one = cases[i];
            (Walk outcome, bytes memory value) = _tries.walk(one.root, one.key, one.proof);
            require(outcome == (one.value.length == 0 ? Walk.Absent : Walk.Found), "outcome");
            require(keccak256(value) == keccak256(one.value), "value");
            try _tries.traverse(one.root, one.key, one.proof) returns (bytes memory other) {
                require(outcome == Walk.Found && keccak256(other) == keccak256(value), "OpenZeppelin's value");
            } catch {
                require(outcome == Walk.Absent, "OpenZeppelin refuses");
                ++absent;
            }
        }
        require(cases.length > 60 && absent > 20, "few cases");
    }

    /// @notice A proof with any change is refused: no other bytes show anything of the same root.
    function testTenThousandMutatedProofsAreRefused() public view {
        Case[] memory cases = _cases();
        uint256 free = _free();
        uint256 refused;
        for (uint256 seed = 0; refused < MUTATIONS; ++seed) {
            uint256 draw = uint256(keccak256(abi.encode(seed)));
            Case memory one = cases[draw % cases.length];
            bytes memory changed = _changed(one.proof, draw >> 16);
            if (keccak256(changed) == keccak256(one.proof)) continue;
            (Walk outcome, bytes memory value) = _tries.walk(one.root, one.key, changed);
            require(outcome != Walk.Found && outcome != Walk.Absent && value.length == 0, "a mutated proof counts");
            ++refused;
            _forget(free);
        }
    }

    /// @notice Nodes that no trie has, under a root of their own: what the walker accepts is what OpenZeppelin accepts.
    function testNodesOfNoTrie() public view {
        Case[] memory cases = _cases();
        uint256 free = _free();
        uint256 found;
        for (uint256 seed = 0; seed < ALTERED; ++seed) {
            uint256 draw = uint256(keccak256(abi.encode("nodes", seed)));
            Case memory one = cases[draw % cases.length];
            if (one.proof.length == 0) continue;
            // The root node is changed within itself: what follows it stays.
            bytes memory changed = _cut(one.proof, one.proof.length);
            uint256 size = _first(one.proof);
            uint256 pos = (draw >> 16) % size;
            changed[pos] = bytes1(uint8(changed[pos]) ^ uint8(1 + (draw >> 64) % 255));
            if (_agree(keccak256(_cut(changed, size)), one.key, changed)) ++found;
            _forget(free);
        }
        require(found > ALTERED / 20, "few were accepted by both");
    }

    /// @notice The same proof shows nothing of another root.
    function testFuzzAnotherRoot(uint256 which, bytes32 root) public view {
        Case[] memory cases = _cases();
        Case memory one = cases[which % cases.length];
        vm.assume(root != one.root && root != TrieWalk.EMPTY);
        (Walk outcome,) = _tries.walk(root, one.key, one.proof);
        require(outcome == Walk.WrongNode || outcome == Walk.TooShort, "outcome");
    }

    /// @notice Another key is absent at most, or the proof is none of it.
    function testFuzzAnotherKey(uint256 which, bytes32 key, uint8 nibbles) public view {
        Case[] memory cases = _cases();
        Case memory one = cases[which % cases.length];
        // Equal to the key for some nibbles, so that the walk comes far.
        uint256 rest = type(uint256).max >> (4 * (nibbles % 64));
        key = bytes32(uint256(one.key) & ~rest | uint256(key) & rest);
        vm.assume(key != one.key);
        (Walk outcome,) = _tries.walk(one.root, key, one.proof);
        if (outcome == Walk.Found) {
            // Another key of the same trie, whose nodes are all in the proof: OpenZeppelin must find it, too.
            _tries.traverse(one.root, key, one.proof);
        }
    }

    /// @notice Anything as a root's node.
    function testFuzzAnyNode(bytes32 key, bytes calldata node) public view {
        _agree(keccak256(node), key, node);
    }

    /// @notice A leaf with any path and value, which is a trie's or nearly one.
    function testFuzzAnyLeaf(bytes32 key, uint8 flags, uint8 length, bytes calldata value) public view {
        uint256 taken = length % 36;
        bytes memory path = abi.encodePacked(flags, key, flags, key);
        assembly ("memory-safe") {
            mstore(path, taken)
        }
        bytes memory items = abi.encodePacked(_string(path), _string(value[:value.length % 60]));
        bytes memory node = abi.encodePacked(_head(items.length), items);
        _agree(keccak256(node), key, node);
        _agree(keccak256(node), key << 4, node);
    }

    /// @notice Nodes by hand that differ from a trie's in one thing, which chance seldom finds, under a root of their own.
    function testEachRuleOfAWalkIsKept() public view {
        bytes32 key = keccak256("key");
        bytes memory start = abi.encodePacked(uint8(0x95), uint8(0x00), bytes20(key));
        bytes12 end = bytes12(key << 160);
        bytes memory leaf = abi.encodePacked(uint8(0xcf), hex"8d20", end, uint8(7));
        bytes memory root = abi.encodePacked(uint8(0xe6), start, leaf);
        (Walk outcome, bytes memory value) = _tries.walk(keccak256(root), key, root);
        require(outcome == Walk.Found && keccak256(value) == keccak256(hex"07"), "an embedded leaf");
        // What has less than 32 bytes stands in its parent, and never by its hash.
        _refused(abi.encodePacked(uint8(0xf7), start, uint8(0xa0), keccak256(leaf)), key, leaf);
        // Behind the flags of an even path stands a nibble of zero, and there are two flags.
        _refused(abi.encodePacked(uint8(0xe6), start, hex"cf8d21", end, uint8(7)), key, "");
        _refused(abi.encodePacked(hex"e69501", bytes20(key), leaf), key, "");
        _refused(abi.encodePacked(uint8(0xe6), start, hex"cf8d60", end, uint8(7)), key, "");
        // A leaf's path ends with the key, and it has a value; all lengths are in their shortest form.
        _refused(abi.encodePacked(uint8(0xe5), start, hex"ce8c20", bytes11(end), uint8(7)), key, "");
        _refused(abi.encodePacked(uint8(0xe6), start, hex"cf8d20", end, uint8(0x80)), key, "");
        _refused(abi.encodePacked(uint8(0xe7), start, hex"d08d20", end, hex"8107"), key, "");
        _refused(abi.encodePacked(uint8(0xe8), start, hex"d18d20", end, hex"b80107"), key, "");
        _refused(abi.encodePacked(hex"f826", start, leaf), key, "");
        _refused(abi.encodePacked(hex"f90026", start, leaf), key, "");
    }

    /// @notice The same of extensions and branches.
    function testEachRuleOfWhatLeadsOnIsKept() public view {
        bytes32 key = keccak256("key");
        // An extension leads to a node, by a nibble at least, and leaves one at least.
        _refused(abi.encodePacked(hex"d79500", bytes20(key), uint8(0x80)), key, "");
        _refused(abi.encodePacked(hex"e5a100", key, hex"c22007"), key, "");
        bytes memory leaf = abi.encodePacked(hex"e3a120", key, uint8(7));
        _refused(abi.encodePacked(hex"e200a0", keccak256(leaf)), key, leaf);
        // A branch has no child of 32 bytes or more but by its hash, also where the key leads elsewhere.
        bytes memory large = abi.encodePacked(uint8(0xdf), bytes31(0));
        _refused(_branch(0xf0, (uint8(key[0]) >> 4) ^ 1, large), key, "");
        // Behind the key's last nibble no branch stands.
        bytes memory last = _branch(0xe2, uint8(key[31]) & 15, _branch(0xd1, 0, hex"80"));
        bytes memory root = abi.encodePacked(hex"f842a0", uint8(key[0]) >> 4 | 0x10, bytes31(key << 4), uint8(0xa0));
        _refused(abi.encodePacked(root, keccak256(last)), key, last);
    }

    /// @dev A branch with one child.
    function _branch(uint8 head, uint8 place, bytes memory child) private pure returns (bytes memory node) {
        node = abi.encodePacked(head);
        for (uint256 i = 0; i < 16; ++i) {
            node = abi.encodePacked(node, i == place ? child : bytes(hex"80"));
        }
        node = abi.encodePacked(node, uint8(0x80));
    }

    function _refused(bytes memory root, bytes32 key, bytes memory rest) private view {
        (Walk outcome,) = _tries.walk(keccak256(root), key, abi.encodePacked(root, rest));
        require(outcome == Walk.Malformed, "malformed");
    }

    /// @dev Whether the walker finds something; OpenZeppelin must then find the same.
    function _agree(bytes32 root, bytes32 key, bytes memory proof) private view returns (bool found) {
        (Walk outcome, bytes memory value) = _tries.walk(root, key, proof);
        found = outcome == Walk.Found;
        if (found) require(keccak256(value) == keccak256(_tries.traverse(root, key, proof)), "OpenZeppelin's value");
    }

    function _free() private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
        }
    }

    /// @dev Memory is paid by the square of its size: what a round took is taken again.
    function _forget(uint256 pointer) private pure {
        assembly ("memory-safe") {
            mstore(0x40, pointer)
        }
    }

    // ---------------------------------------------------------------- changes

    /// @dev A flipped bit, another byte, a cut, something behind, something twice, or two bytes the other way round.
    function _changed(bytes memory proof, uint256 draw) private pure returns (bytes memory) {
        uint256 kind = draw % 6;
        uint256 length = proof.length;
        if (length == 0 || kind == 0) return abi.encodePacked(proof, uint8(draw >> 8));
        uint256 pos = (draw >> 16) % length;
        if (kind == 1) return abi.encodePacked(proof, _cut(proof, pos));
        proof = _cut(proof, length);
        if (kind == 2) return _cut(proof, pos);
        if (kind == 3) {
            proof[pos] = bytes1(uint8(proof[pos]) ^ uint8(1 << (draw >> 64) % 8));
        } else if (kind == 4) {
            proof[pos] = bytes1(uint8(draw >> 64));
        } else {
            uint256 other = (draw >> 64) % length;
            (proof[pos], proof[other]) = (proof[other], proof[pos]);
        }
        return proof;
    }

    function _cut(bytes memory all, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(all, 32), length)
        }
    }

    /// @dev Bytes of the first node.
    function _first(bytes memory proof) private pure returns (uint256) {
        uint256 prefix = uint8(proof[0]);
        if (prefix < 0xf8) return prefix - 0xbf;
        if (prefix == 0xf8) return 2 + uint256(uint8(proof[1]));
        return 3 + (uint256(uint8(proof[1])) << 8) + uint8(proof[2]);
    }

    function _string(bytes memory content) private pure returns (bytes memory) {
        if (content.length == 1 && uint8(content[0]) < 0x80) return content;
        if (content.length < 56) return abi.encodePacked(uint8(0x80 + content.length), content);
        return abi.encodePacked(uint8(0xb8), uint8(content.length), content);
    }

    function _head(uint256 length) private pure returns (bytes memory) {
        return length < 56 ? abi.encodePacked(uint8(0xc0 + length)) : abi.encodePacked(uint8(0xf8), uint8(length));
    }
}
