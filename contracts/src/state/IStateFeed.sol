// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {StateProof} from "./StateProof.sol";

/// @notice What takes a row: ForecastFee, RegimeFeePool.
interface ITakesRows {
    function postRow(uint256[] calldata row) external;
}

/// @notice A feed whose rows are computed from proven state: anyone posts them, so nobody is trusted. `assay up` asks it
///         what a period's row needs, makes the proofs when the row is fixed, keeps them and posts. `assay row` writes
///         such a feed from a task whose features are of [[data.bars.state]].
interface IStateFeed {
    /// @notice What is needed for the row of the period that ends with a block.
    /// @return account Whose storage.
    /// @return blocks The blocks whose state is needed, in the order of the proofs.
    /// @return slots The slots of each.
    function stateOf(uint256 number)
        external
        view
        returns (address account, uint256[] memory blocks, bytes32[] memory slots);

    /// @notice Compute a row and hand it to a consumer whose `feed` this is.
    function post(address consumer, StateProof[] calldata proofs) external;
}

/// @notice A feed that also reads slots which follow from what others hold, such as an array's element by an index that is
///         kept elsewhere.
interface IStateFeedOfArrays is IStateFeed {
    /// @notice The further slots of a block; a proof has them behind those of `stateOf`.
    /// @param words What the slots of `stateOf` hold in it, in their order.
    function further(uint256[] calldata words) external view returns (bytes32[] memory slots);
}
