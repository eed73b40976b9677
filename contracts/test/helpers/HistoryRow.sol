// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IObservations, Observation} from "../../src/interfaces/IObservations.sol";
import {IRow} from "../../src/interfaces/IRow.sol";

/// @notice A row by hand: the price and the volume of two bars, or, of another model, the volume and the price.
contract HistoryRow is IRow {
    bool public immutable turned;

    constructor(bool turned_) {
        turned = turned_;
    }

    function row(IObservations source, bytes32 series)
        external
        view
        returns (bool known, uint256 end, uint256[] memory words)
    {
        uint256[] memory lags = new uint256[](2);
        lags[1] = 2;
        Observation[] memory past;
        (known, end,, past) = source.observe(series, lags);
        words = new uint256[](2);
        (words[0], words[1]) = (past[0].price, past[0].volume - past[1].volume);
        if (turned) (words[0], words[1]) = (words[1], words[0]);
    }
}
