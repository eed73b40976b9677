// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {StateRow} from "../../src/state/StateRow.sol";
import {TrieWalk, Walk} from "../../src/state/TrieWalk.sol";

/// @notice What a second implementation says of a key: `python -m tests.agreement.tries`.
/// @param value Empty if the trie has not the key.
struct Case {
    bytes32 root;
    bytes32 key;
    bytes proof;
    bytes value;
}

/// @notice Both readers of tries behind calls, so that what they refuse by a revert can be caught.
contract Tries {
    function walk(bytes32 root, bytes32 key, bytes calldata proof) external pure returns (Walk, bytes memory) {
        return TrieWalk.find(root, key, proof);
    }

    function traverse(bytes32 root, bytes32 key, bytes calldata proof) external pure returns (bytes memory) {
        return TrieProof.traverse(root, abi.encodePacked(key), StateRow.nodes(proof));
    }
}
