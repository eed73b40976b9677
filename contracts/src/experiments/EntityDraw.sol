// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Stoppable} from "./Stoppable.sol";

/// @title Which arm decides about whom, by a draw that nobody can foresee before its block is mixed in
/// @notice The entities are fixed by the plan. The operator commits to a secret; the hash of a later block is mixed
///         in; then the secret is shown, and everybody can say into which arm each entity falls.
/// @dev An operator that does not like the draw can keep its secret: then nothing is drawn, the process that decided
///      before decides about all, and the plan stands on the chain as one that was left. The maker of the mixed block
///      does not know the secret; together with the operator it could choose the draw.
///
///      Nobody can choose among draws only where the consumer was bound to this one before `mixBlock`, for good: an
///      operator that deploys several draws of a plan, and routes to the one it likes best, has chosen. And entities are
///      to be fixed before: once the secret is shown, whoever may appear under any address finds one in the arm they like.
contract EntityDraw is Stoppable {
    /// @notice keccak256 of the secret.
    bytes32 public immutable commitment;
    /// @notice The block whose hash is mixed in.
    uint64 public immutable mixBlock;
    /// @notice First and last block in which the new arm decides.
    uint64 public immutable start;
    uint64 public immutable end;

    /// @notice That block's hash; zero until it is kept.
    bytes32 public mixed;
    /// @notice What entities are drawn by; zero until the secret is shown.
    bytes32 public seed;

    /// @notice The block's hash was kept.
    event Mixed(bytes32 blockHash);
    /// @notice The secret was shown.
    event Revealed(bytes32 secret, bytes32 seed);

    error NotYet(uint64 block_);
    error TooLate(uint64 block_);
    error NotTheSecret();

    constructor(
        bytes32 plan_,
        bytes32 commitment_,
        uint32 share_,
        uint64 mixBlock_,
        uint64 start_,
        uint64 end_,
        address guardian_
    ) Stoppable(plan_, share_, guardian_) {
        if (commitment_ == 0 || mixBlock_ <= block.number || start_ <= mixBlock_ || end_ < start_) {
            revert BadTerms();
        }
        commitment = commitment_;
        mixBlock = mixBlock_;
        start = start_;
        end = end_;
    }

    /// @notice Keep the hash of the block that is mixed in. Anybody may, in the 256 blocks after it.
    function mix() external {
        if (block.number <= mixBlock) revert NotYet(mixBlock);
        bytes32 found = blockhash(mixBlock);
        if (found == 0) revert TooLate(mixBlock);
        mixed = found;
        emit Mixed(found);
    }

    /// @notice Show the secret. Anybody may, who knows it.
    function reveal(bytes32 secret) external {
        if (mixed == 0) revert NotYet(mixBlock);
        if (keccak256(abi.encode(secret)) != commitment) revert NotTheSecret();
        // Shown after the start it could be shown, or kept, for what the outcomes are.
        if (block.number > start) revert TooLate(start);
        seed = keccak256(abi.encode(plan, secret, mixed));
        emit Revealed(secret, seed);
    }

    /// @notice Whether the new arm decides about an entity now.
    function isNew(address entity) public view returns (bool) {
        if (seed == 0 || stopped || block.number < start || block.number > end) return false;
        return _falls(keccak256(abi.encode(seed, entity)));
    }
}
