// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeLine, Line} from "../FeeLine.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IFeeSource} from "../interfaces/IFeeSource.sol";

/// @title A fee that follows a proven forecast of volatility
/// @notice Each period a feed posts a feature row. Anyone may then settle it with a proof of what the pinned
///         model says about exactly that row; the fee becomes a straight line of the forecast, within bounds.
///         The feed is trusted to post true rows; nobody is trusted with the forecast.
/// @dev A period is settled once: `settle` clears the pending row, and the row is posted anew by the feed alone.
///      A proof is a true statement about a row for ever, so a row that comes back may be settled by the old proof.
contract ForecastFee is IFeeSource {
    /// @notice The verifier, pinned at deployment by its address and the hash of its code.
    IAssayVerifier public immutable verifier;
    /// @notice Digest of the model that the verifier must speak for.
    bytes32 public immutable modelId;
    /// @notice The only address that may post rows.
    address public immutable feed;
    /// @notice Number of words in a feature row.
    uint256 public immutable features;
    /// @notice A forecast is its integer times 2^-scaleBits.
    uint256 public immutable scaleBits;
    /// @notice The fee until the first forecast, and when the last one is older than `maxAge`.
    uint24 public immutable fallbackFee;
    /// @notice Seconds that a row waits for its proof, and that a forecast counts, from when the row was posted.
    uint64 public immutable maxAge;
    /// @notice How a forecast becomes a fee.
    Line public line;

    /// @notice The last forecast's fee.
    uint24 public forecastFee;
    /// @notice When the row of the last forecast was posted, zero before the first.
    uint64 public forecastTime;
    /// @notice Number of the last row posted; the first is 1.
    uint64 public period;
    /// @notice When it was posted.
    uint64 public rowTime;
    /// @notice Digest of the row that waits for its proof, zero if none does.
    bytes32 public pendingRow;

    /// @notice The feed posted the row of a new period.
    event RowPosted(uint64 indexed period, bytes32 indexed rowDigest, uint256[] row);
    /// @notice A forecast took effect.
    event FeeSet(uint64 indexed period, bytes32 indexed rowDigest, int256 forecast, uint24 fee);

    error NotTheFeed(address caller);
    error WrongCode(bytes32 expected, bytes32 actual);
    error WrongModel(bytes32 expected, bytes32 actual);
    error UnsuitableModel();
    error BadLine();
    error WrongLength(uint256 expected, uint256 actual);
    error RowNotPending(bytes32 pending, bytes32 actual);
    error RowTooOld(uint64 posted);
    error InvalidProof();

    /// @param verifier_ What `assay solidity` generated for the model.
    /// @param codeHash Hash of the code that `assay solidity` generates for the reviewed key: a contract that only
    ///        says that it is of the model could say anything of a proof.
    /// @param modelId_ Digest that the verifying key had when the model was reviewed.
    /// @param feed_ Poster of rows.
    /// @param fallback_ The fee until the first forecast, and without a recent one.
    /// @param maxAge_ Seconds that a row and its forecast count.
    /// @param line_ How a forecast becomes a fee.
    constructor(
        IAssayVerifier verifier_,
        bytes32 codeHash,
        bytes32 modelId_,
        address feed_,
        uint24 fallback_,
        uint64 maxAge_,
        Line memory line_
    ) {
        bytes32 code = address(verifier_).codehash;
        if (code != codeHash) revert WrongCode(codeHash, code);
        bytes32 actual = verifier_.modelId();
        if (actual != modelId_) revert WrongModel(modelId_, actual);
        IAssayVerifier.Shape memory shape = verifier_.shape();
        // A hidden row cannot be compared with the feed's, and a forecast is one number.
        if (shape.privateInputs || shape.outputs != 1 || shape.scaleBits > FeeLine.MAX_SCALE_BITS) {
            revert UnsuitableModel();
        }
        if (!FeeLine.isSound(line_) || fallback_ > FeeLine.MAX_FEE) revert BadLine();

        verifier = verifier_;
        modelId = modelId_;
        feed = feed_;
        features = shape.features;
        scaleBits = shape.scaleBits;
        fallbackFee = fallback_;
        maxAge = maxAge_;
        line = line_;
    }

    /// @inheritdoc IFeeSource
    /// @dev A feed or a prover that stops must not leave yesterday's fee in force for ever.
    function fee() public view returns (uint24) {
        return forecastTime != 0 && block.timestamp - forecastTime <= maxAge ? forecastFee : fallbackFee;
    }

    /// @notice Post the feature row of a new period. It replaces a row that nobody settled.
    /// @param row The row's input words, as the verifier takes them.
    function postRow(uint256[] calldata row) external {
        if (msg.sender != feed) revert NotTheFeed(msg.sender);
        if (row.length != features) revert WrongLength(features, row.length);
        pendingRow = keccak256(abi.encodePacked(row));
        rowTime = uint64(block.timestamp);
        emit RowPosted(++period, pendingRow, row);
    }

    /// @notice Settle the period with a proof of the model's forecast for the posted row.
    /// @param proof The proof's bytes.
    /// @param publicInputs The row's words, then the forecast's integer in two's complement, then the proof's context, which
    ///        this contract does not ask for: the row that was posted for the period is what binds the proof.
    function settle(bytes calldata proof, uint256[] calldata publicInputs) external {
        if (publicInputs.length != features + 2) revert WrongLength(features + 2, publicInputs.length);
        bytes32 digest = keccak256(abi.encodePacked(publicInputs[:features]));
        if (pendingRow == bytes32(0) || digest != pendingRow) revert RowNotPending(pendingRow, digest);
        if (block.timestamp - rowTime > maxAge) revert RowTooOld(rowTime);
        if (!verifier.verify(proof, publicInputs)) revert InvalidProof();

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 forecast = int256(publicInputs[features]);
        pendingRow = bytes32(0);
        forecastTime = rowTime;
        forecastFee = feeFor(forecast);
        emit FeeSet(period, digest, forecast, forecastFee);
    }

    /// @notice The fee for a forecast: base + slope * forecast, within the bounds.
    /// @param forecast The forecast's integer, of any size: no model can make this revert.
    function feeFor(int256 forecast) public view returns (uint24) {
        return FeeLine.feeAt(line, forecast, scaleBits);
    }
}
