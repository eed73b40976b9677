// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../FeeLine.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {IModelRegistry} from "../registry/IModelRegistry.sol";
import {RegistryFollower} from "./RegistryFollower.sol";

/// @title A fee that follows the proven forecasts of a registry's default model
/// @notice Each period a feed posts a feature row, in the words of the version that is the registry's default. Anyone
///         may then settle the period with a proof of what that version says about exactly that row. The fee moves
///         towards a straight line of the forecast, by a step at most.
///         Without a recent forecast, or if the default or the forecast's own version counts no more, the fee is what
///         the process gives that decided before: `existing`.
/// @dev Trusted: the registry (whose code is fixed and whose views cannot revert), `existing`, and the feed to post true
///      rows. Not trusted: whoever settles, and the verifiers. The worst that a verifier can do is to answer wrongly,
///      which the registry's delay, guardian and freeze are for; it is never called from `fee`, so it can stop no swap.
///
///      A proof counts once: it is bound to this contract, this chain and this period by its context, each period has
///      one row, and settling takes the row away.
contract RegistryFee is IFeeSource, RegistryFollower {
    /// @notice The only address that may post rows.
    address public immutable feed;
    /// @notice The process that decided before, and decides where no forecast counts.
    IFeeSource public immutable existing;
    /// @notice Most that one forecast moves the fee that is in force.
    uint24 public immutable step;
    /// @notice How a forecast becomes a fee.
    Line public line;

    /// @notice Number of the last row posted; the first is 1.
    uint64 public period;
    /// @notice When it was posted.
    uint40 public rowTime;
    /// @notice The version whose words it has.
    uint32 public rowVersion;
    /// @notice That version's forecasts are integers times 2^-scaleBits.
    uint16 public scaleBits;
    /// @notice The last forecast's fee.
    uint24 public forecastFee;
    /// @notice When the row of the last forecast was posted, zero before the first.
    uint40 public forecastTime;
    /// @notice The version that made it.
    uint32 public forecastVersion;
    /// @notice Digest of the row that waits for its proof, zero if none does.
    bytes32 public pendingRow;

    /// @notice The feed posted the row of a new period; `context` is the word that its proof must show.
    event RowPosted(
        uint64 indexed period, uint32 indexed version, bytes32 indexed rowDigest, uint256 context, uint256[] row
    );
    /// @notice A forecast took effect. `wanted` is its fee before the step.
    event FeeSet(
        uint64 indexed period,
        uint32 indexed version,
        bytes32 indexed rowDigest,
        int256 forecast,
        uint24 wanted,
        uint24 fee
    );

    error NotTheFeed(address caller);

    /// @param registry_ Who says which versions count.
    /// @param feed_ Poster of rows.
    /// @param existing_ The process that decided before.
    /// @param maxAge_ Seconds that a row and its forecast count.
    /// @param step_ Most that one forecast moves the fee.
    /// @param verifyGas_ Most gas that a verifier gets; twice what verifying was measured to take is plenty.
    /// @param line_ How a forecast becomes a fee.
    constructor(
        IModelRegistry registry_,
        address feed_,
        IFeeSource existing_,
        uint40 maxAge_,
        uint24 step_,
        uint256 verifyGas_,
        Line memory line_
    ) RegistryFollower(registry_, maxAge_, verifyGas_) {
        if (!FeeLine.isSound(line_) || step_ == 0) revert BadTerms();
        existing_.fee();
        feed = feed_;
        existing = existing_;
        step = step_;
        line = line_;
    }

    /// @inheritdoc IFeeSource
    function fee() external view returns (uint24) {
        (uint32 current,) = registry.current();
        return _inForce(current);
    }

    /// @notice The word that a proof for a period must show as its context.
    function contextOf(uint64 period_) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), period_)));
    }

    /// @notice Post the feature row of a new period. It replaces a row that nobody settled.
    /// @param version The version whose words the row has: the default, or somebody changed it meanwhile.
    /// @param row The row's input words, as that version's verifier takes them.
    function postRow(uint32 version, uint256[] calldata row) external {
        if (msg.sender != feed) revert NotTheFeed(msg.sender);
        IAssayVerifier.Shape memory shape = _shapeOfDefault(version);
        // A hidden row cannot be compared with the feed's, and a forecast is one number.
        if (shape.privateInputs || shape.outputs != 1 || shape.scaleBits > FeeLine.MAX_SCALE_BITS) {
            revert UnsuitableModel(version);
        }
        if (row.length != shape.features) revert WrongLength(shape.features, row.length);
        uint64 now_ = ++period;
        rowTime = uint40(block.timestamp);
        rowVersion = version;
        scaleBits = uint16(shape.scaleBits);
        pendingRow = keccak256(abi.encodePacked(row));
        emit RowPosted(now_, version, pendingRow, contextOf(now_), row);
    }

    /// @notice Settle the period with a proof of the forecast for the posted row.
    /// @param proof The proof's bytes.
    /// @param publicInputs The row's words, the forecast's integer in two's complement, the period's context.
    function settle(bytes calldata proof, uint256[] calldata publicInputs) external {
        if (publicInputs.length < 2) revert WrongLength(2, publicInputs.length);
        uint256 features = publicInputs.length - 2;
        bytes32 digest = keccak256(abi.encodePacked(publicInputs[:features]));
        if (pendingRow == bytes32(0) || digest != pendingRow) revert RowNotPending(pendingRow, digest);
        if (block.timestamp - rowTime > maxAge) revert RowTooOld(rowTime);
        uint256 context = contextOf(period);
        if (publicInputs[features + 1] != context) revert WrongContext(context, publicInputs[features + 1]);
        uint32 current = _verify(rowVersion, proof, publicInputs);

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 forecast = int256(publicInputs[features]);
        uint24 wanted = FeeLine.feeAt(line, forecast, scaleBits);
        uint24 next = _towards(wanted, _inForce(current));
        pendingRow = bytes32(0);
        forecastFee = next;
        forecastTime = rowTime;
        forecastVersion = rowVersion;
        emit FeeSet(period, rowVersion, digest, forecast, wanted, next);
    }

    function _inForce(uint32 current) private view returns (uint24) {
        return _counts(forecastVersion, forecastTime, current) ? forecastFee : existing.fee();
    }

    function _towards(uint24 wanted, uint24 from) private view returns (uint24) {
        if (wanted > from) return wanted - from > step ? from + step : wanted;
        return from - wanted > step ? from - step : wanted;
    }
}
