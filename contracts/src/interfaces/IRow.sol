// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IObservations} from "./IObservations.sol";

/// @title What makes a model's input words of a market's own history
/// @notice `assay row` writes such a contract from a task's features and a model's circuit. It has no storage and no owner.
interface IRow {
    /// @notice The row of the last whole bar.
    /// @param source Whose history.
    /// @param series Which market of it.
    /// @return known Whether the history is long enough; without that there is no row.
    /// @return end When the bar ended, in seconds since 1970.
    /// @return words The row, as the model's verifier takes it.
    /// @dev Reverts where a feature has no value (a division by zero, a root of less than zero) or none that the model's
    ///      words can say.
    function row(IObservations source, bytes32 series)
        external
        view
        returns (bool known, uint256 end, uint256[] memory words);
}
