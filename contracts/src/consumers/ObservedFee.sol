// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../FeeLine.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {IObservations} from "../interfaces/IObservations.sol";
import {IRow} from "../interfaces/IRow.sol";

/// @title A fee that follows a proven forecast from the market's own history
/// @notice When a bar is over, anyone may bring a proof of what the pinned model says about it. The row is not posted and
///         not believed: this contract makes it itself, of the bars that the market's contract has kept, and the proof must
///         be of exactly that row. Nobody is trusted: not who settles, no feed, no owner; nothing can be changed later.
/// @dev A bar is settled once. A proof shows a true statement about a row for ever, so of two bars with the same row the
///      second may be settled by the first one's proof: what it says is as true. So no context is asked for.
contract ObservedFee is IFeeSource {
    /// @notice What is pinned at deployment, and reviewed before.
    /// @param verifier What `assay solidity` generated for the model.
    /// @param verifierCode Hash of the code that it generates for the reviewed key.
    /// @param modelId Digest that the verifying key had when the model was reviewed.
    /// @param row What `assay row` generated for the model.
    /// @param rowCode Hash of its code.
    struct Model {
        IAssayVerifier verifier;
        bytes32 verifierCode;
        bytes32 modelId;
        IRow row;
        bytes32 rowCode;
    }

    /// @notice The verifier, pinned by its address and the hash of its code.
    IAssayVerifier public immutable verifier;
    /// @notice What makes rows, pinned in the same way.
    IRow public immutable rows;
    /// @notice Digest of the model that the verifier speaks for.
    bytes32 public immutable modelId;
    /// @notice Whose history.
    IObservations public immutable market;
    /// @notice Which market of it.
    bytes32 public immutable series;
    /// @notice A forecast is its integer times 2^-scaleBits.
    uint256 public immutable scaleBits;
    /// @notice The process that decided before, and decides where no forecast counts.
    IFeeSource public immutable existing;
    /// @notice Seconds that a forecast counts, from the end of its bar.
    uint40 public immutable maxAge;
    /// @notice How a forecast becomes a fee.
    Line public line;

    /// @notice The last forecast's fee.
    uint24 public forecastFee;
    /// @notice The end of its bar, zero before the first.
    uint40 public forecastTime;

    /// @notice A forecast took effect.
    /// @param end The end of its bar.
    event FeeSet(uint256 indexed end, bytes32 indexed rowDigest, int256 forecast, uint24 fee);

    error WrongCode(bytes32 expected, bytes32 actual);
    error WrongModel(bytes32 expected, bytes32 actual);
    error UnsuitableModel();
    error BadTerms();
    error NoRow();
    error SettledAlready(uint256 end);
    error WrongLength(uint256 expected, uint256 actual);
    error WrongWord(uint256 index, uint256 expected, uint256 actual);
    error InvalidProof();

    /// @param market_ Whose history; a pool that asks this contract for its fee may be deployed after it.
    /// @param series_ Which market of it: zero for a pool of its own, the pool's id for a hook.
    /// @param existing_ The process that decided before.
    /// @param maxAge_ Seconds that a forecast counts.
    constructor(
        Model memory model,
        IObservations market_,
        bytes32 series_,
        IFeeSource existing_,
        uint40 maxAge_,
        Line memory line_
    ) {
        _requireCode(address(model.verifier), model.verifierCode);
        _requireCode(address(model.row), model.rowCode);
        bytes32 actual = model.verifier.modelId();
        if (actual != model.modelId) revert WrongModel(model.modelId, actual);
        IAssayVerifier.Shape memory shape = model.verifier.shape();
        // A hidden row cannot be compared, and a forecast is one number.
        if (shape.privateInputs || shape.outputs != 1 || shape.scaleBits > FeeLine.MAX_SCALE_BITS) {
            revert UnsuitableModel();
        }
        if (!FeeLine.isSound(line_) || maxAge_ == 0) revert BadTerms();
        existing_.fee();
        verifier = model.verifier;
        modelId = model.modelId;
        rows = model.row;
        market = market_;
        series = series_;
        scaleBits = shape.scaleBits;
        existing = existing_;
        maxAge = maxAge_;
        line = line_;
    }

    /// @inheritdoc IFeeSource
    /// @dev Provers that stop must not leave yesterday's fee in force for ever.
    function fee() external view returns (uint24) {
        return forecastTime != 0 && block.timestamp - forecastTime <= maxAge ? forecastFee : existing.fee();
    }

    /// @notice The row that waits for its proof.
    /// @return known Whether there is one: the history is long enough.
    /// @return end The end of its bar; settled already if that is `forecastTime`.
    /// @return words As the verifier takes them.
    function pendingRow() external view returns (bool known, uint256 end, uint256[] memory words) {
        return rows.row(market, series);
    }

    /// @notice Settle the last whole bar with a proof of the model's forecast for its row.
    /// @param proof The proof's bytes.
    /// @param publicInputs The row's words, the forecast's integer in two's complement, and a context, which may be any.
    function settle(bytes calldata proof, uint256[] calldata publicInputs) external {
        (bool known, uint256 end, uint256[] memory words) = rows.row(market, series);
        if (!known) revert NoRow();
        if (end <= forecastTime) revert SettledAlready(end);
        if (publicInputs.length != words.length + 2) revert WrongLength(words.length + 2, publicInputs.length);
        for (uint256 i = 0; i < words.length; ++i) {
            if (publicInputs[i] != words[i]) revert WrongWord(i, words[i], publicInputs[i]);
        }
        if (!verifier.verify(proof, publicInputs)) revert InvalidProof();

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 forecast = int256(publicInputs[words.length]);
        uint24 next = FeeLine.feeAt(line, forecast, scaleBits);
        forecastTime = uint40(end);
        forecastFee = next;
        emit FeeSet(end, keccak256(abi.encodePacked(words)), forecast, next);
    }

    function _requireCode(address account, bytes32 expected) private view {
        bytes32 actual = account.codehash;
        if (actual != expected) revert WrongCode(expected, actual);
    }
}
