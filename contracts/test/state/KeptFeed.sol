// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {AssayWords} from "../../src/AssayWords.sol";
import {IStateFeed} from "../../src/state/IStateFeed.sol";
import {StateProof} from "../../src/state/StateProof.sol";
import {StateWalk} from "../../src/state/StateWalk.sol";

/// @notice Rows of two whole numbers that a contract keeps, as float32.
contract KeptFeed is IStateFeed {
    address public immutable keeper;

    constructor(address keeper_) {
        keeper = keeper_;
    }

    function stateOf(uint256 number) external view returns (address, uint256[] memory blocks, bytes32[] memory) {
        blocks = new uint256[](1);
        blocks[0] = number;
        return (keeper, blocks, _slots());
    }

    function post(address consumer, StateProof[] calldata proofs) external {
        (, uint256[] memory kept) = StateWalk.words(proofs[0], 0, keeper, _slots());
        for (uint256 i = 0; i < 2; ++i) {
            kept[i] = AssayWords.float32Word(int256(kept[i]), 1);
        }
        FedByState(consumer).postRow(kept);
    }

    function _slots() private pure returns (bytes32[] memory slots) {
        slots = new bytes32[](2);
        slots[1] = bytes32(uint256(1));
    }
}

/// @notice A consumer that takes a feed's rows, and settles what shows the pending one. It verifies nothing.
contract FedByState {
    address public immutable feed;
    uint64 public period;
    bytes32 public pending;

    event RowPosted(uint64 indexed period, bytes32 indexed rowDigest, uint256[] row);
    event Settled(bytes32 indexed proof, uint256 context, uint256 count);

    error NotTheFeed(address caller);
    error RowNotPending(bytes32 pending);

    constructor(address feed_) {
        feed = feed_;
    }

    function postRow(uint256[] calldata row) external {
        if (msg.sender != feed) revert NotTheFeed(msg.sender);
        pending = keccak256(abi.encodePacked(row));
        emit RowPosted(++period, pending, row);
    }

    function settle(bytes calldata proof, uint256[] calldata words) external {
        if (keccak256(abi.encodePacked(words[:2])) != pending) revert RowNotPending(pending);
        emit Settled(keccak256(proof), words[words.length - 1], period);
    }
}
