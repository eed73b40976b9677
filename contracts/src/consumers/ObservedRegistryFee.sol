// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../FeeLine.sol";
import {RowCalls} from "../RowCalls.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {IObservations} from "../interfaces/IObservations.sol";
import {IRow} from "../interfaces/IRow.sol";
import {IModelRegistry} from "../registry/IModelRegistry.sol";
import {RegistryFollower} from "./RegistryFollower.sol";

/// @title A fee from the market's own history that follows a registry's default model
/// @notice As ObservedFee: when a bar is over, anyone may bring a proof about the row that is made of the market's own bars;
///         nobody posts it. As RegistryFee: the model is the registry's default, and when another becomes it, or one is
///         gone back to or frozen, this contract does the same without being deployed anew. The registry's versions are
///         ModelWithRow, each of which makes its own model's rows.
/// @dev Trusted: the registry (whose code is fixed and whose views cannot revert), `market` and `existing`. Not trusted:
///      whoever settles. A version can do no more than answer wrongly, as for RegistryFee: each call of it has a limit
///      of gas, no more of its answer is read than that should have, and `fee` never calls it, so it can stop no swap.
///
///      A bar is settled once by each default. As in ObservedFee a proof shows a true statement about a row for ever, so no
///      context is asked for. Of a version that is no longer the default no proof is taken, since rows wait for none.
contract ObservedRegistryFee is IFeeSource, RegistryFollower {
    /// @notice Whose history.
    IObservations public immutable market;
    /// @notice Which market of it.
    bytes32 public immutable series;
    /// @notice The process that decided before, and decides where no forecast counts.
    IFeeSource public immutable existing;
    /// @notice How a forecast becomes a fee.
    Line public line;

    /// @notice The last forecast's fee.
    uint24 public forecastFee;
    /// @notice The end of its bar, zero before the first.
    uint40 public forecastTime;
    /// @notice The version that made it.
    uint32 public forecastVersion;

    /// @notice A forecast took effect.
    /// @param end The end of its bar.
    event FeeSet(uint256 indexed end, uint32 indexed version, bytes32 indexed rowDigest, int256 forecast, uint24 fee);

    error NoRow();
    error RowFailed(uint32 version);
    error SettledAlready(uint256 end);
    error WrongWord(uint256 index, uint256 expected, uint256 actual);

    /// @param registry_ Who says which versions count; they are ModelWithRow.
    /// @param market_ Whose history; a pool that asks this contract for its fee may be deployed after it.
    /// @param series_ Which market of it: zero for a pool of its own, the pool's id for a hook.
    /// @param existing_ The process that decided before.
    /// @param maxAge_ Seconds that a forecast counts, from the end of its bar.
    /// @param verifyGas_ Most gas that a version gets to verify, and again to make its row.
    /// @param line_ How a forecast becomes a fee.
    constructor(
        IModelRegistry registry_,
        IObservations market_,
        bytes32 series_,
        IFeeSource existing_,
        uint40 maxAge_,
        uint256 verifyGas_,
        Line memory line_
    ) RegistryFollower(registry_, maxAge_, verifyGas_) {
        if (!FeeLine.isSound(line_)) revert BadTerms();
        existing_.fee();
        market = market_;
        series = series_;
        existing = existing_;
        line = line_;
    }

    /// @inheritdoc IFeeSource
    function fee() external view returns (uint24) {
        (uint32 current,) = registry.current();
        return _counts(forecastVersion, forecastTime, current) ? forecastFee : existing.fee();
    }

    /// @notice The row that waits for its proof, in the words of the default; for whoever proves, since it asks the default
    ///         without a limit.
    /// @return known Whether there is one: a default counts, and the history is long enough.
    /// @return end The end of its bar.
    /// @return words As the default's verifier takes them.
    function pendingRow() external view returns (bool known, uint256 end, uint256[] memory words) {
        (, address model) = registry.current();
        if (model != address(0)) return IRow(model).row(market, series);
    }

    /// @notice Settle the last whole bar with a proof of the default model's forecast for its row.
    /// @param proof The proof's bytes.
    /// @param publicInputs The row's words, the forecast's integer in two's complement, and a context, which may be any.
    function settle(bytes calldata proof, uint256[] calldata publicInputs) external {
        (uint32 version, address model) = registry.current();
        IAssayVerifier.Shape memory shape = _shapeOfDefault(version);
        // A hidden row cannot be compared, and a forecast is one number.
        if (shape.privateInputs || shape.outputs != 1 || shape.scaleBits > FeeLine.MAX_SCALE_BITS) {
            revert UnsuitableModel(version);
        }
        uint256 features = shape.features;
        if (publicInputs.length != features + 2) revert WrongLength(features + 2, publicInputs.length);
        uint256 end = _requireRow(version, model, publicInputs[:features]);
        _verify(version, proof, publicInputs);

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 forecast = int256(publicInputs[features]);
        uint24 next = FeeLine.feeAt(line, forecast, shape.scaleBits);
        forecastTime = uint40(end);
        forecastFee = next;
        forecastVersion = version;
        emit FeeSet(end, version, keccak256(abi.encodePacked(publicInputs[:features])), forecast, next);
    }

    /// @dev Reverts unless the words are the row that the version makes of the last whole bar, and that bar is not settled
    ///      by it. Gives the bar's end.
    function _requireRow(uint32 version, address model, uint256[] calldata words) private view returns (uint256 end) {
        (bool answered, bool known, uint256 end_, uint256[] memory row) =
            RowCalls.row(model, verifyGas, market, series, words.length);
        // A bar that is still to end would make `fee` revert.
        if (!answered || end_ > block.timestamp) revert RowFailed(version);
        if (!known) revert NoRow();
        if (end_ < forecastTime || (end_ == forecastTime && version == forecastVersion)) revert SettledAlready(end_);
        for (uint256 i = 0; i < words.length; ++i) {
            if (words[i] != row[i]) revert WrongWord(i, row[i], words[i]);
        }
        return end_;
    }
}
