// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IObservations} from "./interfaces/IObservations.sol";
import {IRow} from "./interfaces/IRow.sol";

/// @title A call of what makes a model's row, where the caller did not pin it
/// @notice As VerifierCalls: it costs a bounded amount of gas, and no more of the answer is read than a row has.
library RowCalls {
    /// @notice Ask for the row of the last whole bar.
    /// @param gasLimit Most gas that it gets.
    /// @param count How many words the row must have.
    /// @return answered Whether it said, within that gas, that there is no row, or gave one of so many words.
    /// @return known Whether there is a row; false without an answer.
    /// @return end The end of the bar.
    /// @return words The row; empty if there is none.
    function row(address model, uint256 gasLimit, IObservations source, bytes32 series, uint256 count)
        internal
        view
        returns (bool answered, bool known, uint256 end, uint256[] memory words)
    {
        bytes memory asked = abi.encodeCall(IRow.row, (source, series));
        // Whether there is one, the end, where the words begin, how many they are, the words.
        uint256[] memory said = new uint256[](4 + count);
        uint256 size;
        assembly ("memory-safe") {
            answered := staticcall(
                gasLimit,
                model,
                add(asked, 0x20),
                mload(asked),
                add(said, 0x20),
                shl(5, add(count, 4))
            )
            size := returndatasize()
        }
        if (!answered || size < 0x80 || said[0] > 1) return (false, false, 0, words);
        (known, end) = (said[0] == 1, said[1]);
        if (!known) return (true, false, end, words);
        if (size != 32 * (4 + count) || said[2] != 0x60 || said[3] != count) return (false, false, 0, words);
        assembly ("memory-safe") {
            // Their number stands before them, as before every array.
            words := add(said, 0x80)
        }
    }
}
