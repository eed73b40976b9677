// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";

/// @title A pool's fee that follows a proven forecast of tomorrow's volatility
/// @notice Each day a feed posts the day's feature row. Anyone may then settle the day with a proof
///         of what the pinned model says about exactly that row: a positive margin means a turbulent
///         day ahead and the high fee, any other margin the low one. The feed is trusted to post true
///         rows, and nobody is trusted with the forecast: it is what the model says about the row.
///
/// @dev What keeps a proof from counting twice.
///      The key of a replay must be the *statement*, not the proof's bytes: proofs are randomised, so
///      whoever has the proving key can make any number of different proofs of one statement, and a
///      key such as keccak256(proof) would let each of them count. A statement here is "the pinned
///      model maps this row to this margin". The model is a function and the verifier accepts one
///      encoding of a row and of a margin only, so the row alone names the statement.
///      - A row that has been proven is recorded for ever and no later proof about it is accepted,
///        neither the same bytes nor fresh ones.
///      - A row that comes back on a later day needs no second proof: what was proven stays true,
///        and the recorded forecast is applied when the row is posted. So a repeated row cannot
///        lock the pool.
///      - The statement is bound to this pool by the row that its own feed posted, and to the model by the
///        verifier's address and digest, both fixed at deployment. A proof made for another model,
///        or about another row, is refused. The same proof may well serve another pool whose feed
///        posted the same row: it is a true statement there too.
contract RegimeFeePool {
    /// @notice What the model says about a row; Unknown until proven.
    enum Regime {
        Unknown,
        Calm,
        Turbulent
    }

    /// @notice Highest fee that a pool may set, in hundredths of a basis point (10 %).
    uint24 public constant MAX_FEE = 100_000;

    /// @notice The verifier, pinned at deployment by its address and the hash of its code.
    IAssayVerifier public immutable verifier;
    /// @notice Digest of the model that the verifier must speak for.
    bytes32 public immutable modelId;
    /// @notice The only address that may post rows.
    address public immutable feed;
    /// @notice Number of words in a feature row.
    uint256 public immutable features;
    /// @notice Seconds that a row waits for its proof, and that a forecast counts, from when the row was posted.
    uint64 public immutable maxAge;
    /// @notice Fee on calm days and where no recent forecast says otherwise, in hundredths of a basis point.
    uint24 public immutable calmFee;
    /// @notice Fee on turbulent days, in hundredths of a basis point.
    uint24 public immutable turbulentFee;

    /// @notice The last forecast's fee.
    uint24 public forecastFee;
    /// @notice When the row of the last forecast was posted, zero before the first.
    uint64 public forecastTime;
    /// @notice Number of the last row posted; the first is 1.
    uint64 public day;
    /// @notice When it was posted.
    uint64 public rowTime;
    /// @notice Digest of the row that waits for its proof, zero if none does.
    bytes32 public pendingRow;
    /// @notice What has been proven about each row so far.
    mapping(bytes32 rowDigest => Regime) public regimeOf;

    /// @notice The feed posted the row of a new day.
    event RowPosted(uint64 indexed day, bytes32 indexed rowDigest, uint256[] row);
    /// @notice A forecast took effect; `margin` is zero when it was proven on an earlier day.
    event RegimeSet(uint64 indexed day, bytes32 indexed rowDigest, Regime regime, int256 margin, uint24 fee);

    error NotTheFeed(address caller);
    error WrongCode(bytes32 expected, bytes32 actual);
    error WrongModel(bytes32 expected, bytes32 actual);
    error UnsuitableModel();
    error BadFee(uint24 calmFee, uint24 turbulentFee);
    error WrongLength(uint256 expected, uint256 actual);
    error AlreadyProven(bytes32 rowDigest);
    error RowNotPending(bytes32 pending, bytes32 actual);
    error RowTooOld(uint64 posted);
    error InvalidProof();

    /// @param verifier_ What `assay solidity` generated for the model, deployed by whoever deploys the pool.
    /// @param codeHash Hash of the code that `assay solidity` generates for the reviewed key: a contract that only
    ///        says that it is of the model could say anything of a proof.
    /// @param modelId_ Digest that the verifying key had when the model was reviewed.
    /// @param feed_ Poster of rows.
    /// @param maxAge_ Seconds that a row and its forecast count.
    /// @param calmFee_ Fee on calm days; in force until the first forecast and without a recent one.
    /// @param turbulentFee_ Fee on turbulent days.
    constructor(
        IAssayVerifier verifier_,
        bytes32 codeHash,
        bytes32 modelId_,
        address feed_,
        uint64 maxAge_,
        uint24 calmFee_,
        uint24 turbulentFee_
    ) {
        bytes32 code = address(verifier_).codehash;
        if (code != codeHash) revert WrongCode(codeHash, code);
        bytes32 actual = verifier_.modelId();
        if (actual != modelId_) revert WrongModel(modelId_, actual);
        IAssayVerifier.Shape memory shape = verifier_.shape();
        // A hidden row cannot be compared with the feed's, and a forecast is one number.
        if (shape.privateInputs || shape.outputs != 1) revert UnsuitableModel();
        if (calmFee_ > turbulentFee_ || turbulentFee_ > MAX_FEE) revert BadFee(calmFee_, turbulentFee_);

        verifier = verifier_;
        modelId = modelId_;
        feed = feed_;
        features = shape.features;
        calmFee = calmFee_;
        turbulentFee = turbulentFee_;
        maxAge = maxAge_;
    }

    /// @notice The fee in force, in hundredths of a basis point.
    /// @dev A feed or a prover that stops must not leave yesterday's fee in force for ever.
    function fee() public view returns (uint24) {
        return forecastTime != 0 && block.timestamp - forecastTime <= maxAge ? forecastFee : calmFee;
    }

    /// @notice Post the feature row of a new day. It replaces a row that nobody settled.
    /// @param row The row's input words, as the verifier takes them.
    function postRow(uint256[] calldata row) external {
        if (msg.sender != feed) revert NotTheFeed(msg.sender);
        if (row.length != features) revert WrongLength(features, row.length);

        uint64 today = ++day;
        rowTime = uint64(block.timestamp);
        bytes32 digest = keccak256(abi.encodePacked(row));
        emit RowPosted(today, digest, row);

        Regime known = regimeOf[digest];
        if (known == Regime.Unknown) {
            pendingRow = digest;
        } else {
            pendingRow = bytes32(0);
            _apply(today, digest, known, 0);
        }
    }

    /// @notice Settle the day with a proof of the model's margin for the posted row.
    /// @param proof The proof's bytes.
    /// @param publicInputs The row's words, then the margin's integer in two's complement, then the proof's context, which
    ///        this contract does not ask for: the row that was posted for the period is what binds the proof.
    function settle(bytes calldata proof, uint256[] calldata publicInputs) external {
        if (publicInputs.length != features + 2) revert WrongLength(features + 2, publicInputs.length);
        bytes32 digest = keccak256(abi.encodePacked(publicInputs[:features]));
        if (regimeOf[digest] != Regime.Unknown) revert AlreadyProven(digest);
        if (digest != pendingRow) revert RowNotPending(pendingRow, digest);
        if (block.timestamp - rowTime > maxAge) revert RowTooOld(rowTime);
        if (!verifier.verify(proof, publicInputs)) revert InvalidProof();

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 margin = int256(publicInputs[features]);
        Regime regime = margin > 0 ? Regime.Turbulent : Regime.Calm;
        regimeOf[digest] = regime;
        pendingRow = bytes32(0);
        _apply(day, digest, regime, margin);
    }

    function _apply(uint64 today, bytes32 digest, Regime regime, int256 margin) private {
        forecastTime = rowTime;
        forecastFee = regime == Regime.Turbulent ? turbulentFee : calmFee;
        emit RegimeSet(today, digest, regime, margin, forecastFee);
    }
}
