// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IObservations, Observation} from "../interfaces/IObservations.sol";
import {Observations} from "./Observations.sol";

/// @title What a contract inherits that keeps the history of its markets
/// @notice The contract calls `_start` where a market opens and `_record` after each trade in it; everything else reads.
abstract contract Observed is IObservations {
    using Observations for Observations.Store;

    mapping(bytes32 series => Observations.Store) private _stores;

    /// @inheritdoc IObservations
    function observe(bytes32 series, uint256[] calldata lags)
        external
        view
        returns (bool known, uint256 end, uint256 every, Observation[] memory values)
    {
        Observations.Store storage store = _stores[series];
        Observations.Reader memory reader = store.read();
        values = new Observation[](lags.length);
        known = true;
        for (uint256 i = 0; i < lags.length && known; ++i) {
            (known, values[i]) = store.lookUp(reader, lags[i]);
        }
        every = store.barSeconds();
        end = (reader.last + 1) * every;
        if (!known) values = new Observation[](lags.length);
    }

    /// @dev See Observations.start.
    function _start(bytes32 series, uint256 price, uint32 every, uint16 size) internal {
        _stores[series].start(price, every, size);
    }

    /// @dev See Observations.record.
    function _record(bytes32 series, uint256 price, uint256 traded) internal {
        _stores[series].record(price, traded);
    }
}
