// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssayWords} from "../AssayWords.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {ILimitSource} from "../interfaces/ILimitSource.sol";
import {IModelRegistry} from "../registry/IModelRegistry.sol";
import {RegistryFollower} from "./RegistryFollower.sol";

/// @notice From this score on a borrower may owe so much.
/// @param atLeast Score with 18 decimals.
/// @param limit In the lender's unit.
struct Tier {
    int128 atLeast;
    uint128 limit;
}

/// @title A credit limit from the proven score of a row that nobody sees
/// @notice An attester, who has seen a borrower's documents, puts the commitment to the borrower's row on the chain. Anyone
///         who knows the row may then settle it with a proof of the score that the registry's default model gives to
///         the row behind exactly that commitment; the limit is that of the highest tier that the score reaches.
///         Neither the row nor the model is shown. Without a recent score that counts, the limit is what `existing`
///         gives: the process that decided before.
///         A model may say how good a borrower is or how bad; `highIsBad` says which, and the score is its output or minus
///         its output, so that a higher score is always a better one.
/// @dev Trusted: the registry, `existing`, and the attester to commit to true rows. Not trusted: whoever settles, and the
///      verifiers. No score gives more than the highest tier.
///
///      A proof counts once: its context binds it to this contract, this chain, the borrower and the attestation.
///      Commitments are of a version's own key and blinded: the same row attested twice cannot be recognised, unless it
///      is opened with the same secret.
contract CreditLimit is ILimitSource, RegistryFollower {
    /// @param period Number of the last attestation; the first is 1.
    /// @param attestedAt When it was made.
    /// @param version The version whose commitment it is.
    /// @param scaleBits That version's scores are integers times 2^-scaleBits.
    /// @param scoreTime When the row of the last score was attested, zero before the first.
    /// @param scoreVersion The version that gave it.
    /// @param pending Digest of the commitment that waits for its proof, zero if none does.
    /// @param limit What the last score gave.
    struct Account {
        uint64 period;
        uint40 attestedAt;
        uint32 version;
        uint8 scaleBits;
        uint40 scoreTime;
        uint32 scoreVersion;
        bytes32 pending;
        uint256 limit;
    }

    /// @notice Most scale bits of a model: with tiers in range, no product leaves 256 bits.
    uint256 public constant MAX_SCALE_BITS = 120;
    /// @dev Beyond this times 2^scaleBits a score is beyond every tier: 2^68 is more than an int128 of 18 decimals.
    uint256 private constant FAR_BITS = 68;

    /// @notice The only address that may attest.
    address public immutable attester;
    /// @notice The process that decided before, and decides where no score counts.
    ILimitSource public immutable existing;
    /// @notice Whether a high output of the model is bad, as where it was trained to find defaults.
    bool public immutable highIsBad;
    /// @notice What is known of a borrower.
    mapping(address borrower => Account) public accounts;
    Tier[] private _tiers;

    /// @notice The attester has seen the row behind `commitment`; `context` is the word that its proof must show.
    event Attested(
        address indexed borrower, uint64 indexed period, uint32 indexed version, uint256 context, uint256[2] commitment
    );
    /// @notice A score took effect.
    event LimitSet(
        address indexed borrower, uint64 indexed period, uint32 indexed version, int256 output, uint256 limit
    );
    /// @notice The attester took back what was attested and what followed from it.
    event Withdrawn(address indexed borrower, uint64 indexed period, string reason);

    error NotTheAttester(address caller);

    /// @param registry_ Who says which versions count.
    /// @param attester_ Poster of commitments.
    /// @param existing_ The process that decided before.
    /// @param maxAge_ Seconds that an attestation and its score count.
    /// @param verifyGas_ Most gas that a verifier gets; twice what verifying was measured to take is plenty.
    /// @param highIsBad_ Whether a high output of the model is bad: the score is then minus the output.
    /// @param tiers_ Rising scores and rising limits.
    constructor(
        IModelRegistry registry_,
        address attester_,
        ILimitSource existing_,
        uint40 maxAge_,
        uint256 verifyGas_,
        bool highIsBad_,
        Tier[] memory tiers_
    ) RegistryFollower(registry_, maxAge_, verifyGas_) {
        if (tiers_.length == 0) revert BadTerms();
        for (uint256 i = 0; i < tiers_.length; ++i) {
            Tier memory tier = tiers_[i];
            if (i > 0 && (tier.atLeast <= tiers_[i - 1].atLeast || tier.limit <= tiers_[i - 1].limit)) {
                revert BadTerms();
            }
            _tiers.push(tier);
        }
        existing_.limitOf(address(0));
        attester = attester_;
        existing = existing_;
        highIsBad = highIsBad_;
    }

    /// @inheritdoc ILimitSource
    function limitOf(address borrower) external view returns (uint256) {
        Account storage account = accounts[borrower];
        (uint32 current,) = registry.current();
        bool counts = _counts(account.scoreVersion, account.scoreTime, current);
        return counts ? account.limit : existing.limitOf(borrower);
    }

    /// @notice The tiers, in rising order.
    function tiers() external view returns (Tier[] memory) {
        return _tiers;
    }

    /// @notice The word that a proof for a borrower's attestation must show as its context.
    function contextOf(address borrower, uint64 period) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), borrower, period)));
    }

    /// @notice Attest a borrower's row by its commitment. It replaces one that nobody settled.
    /// @param version The version whose commitment it is: the default, or somebody changed it meanwhile.
    /// @param commitment The two words of the input commitment.
    function attest(address borrower, uint32 version, uint256[2] calldata commitment) external {
        if (msg.sender != attester) revert NotTheAttester(msg.sender);
        IAssayVerifier.Shape memory shape = _shapeOfDefault(version);
        // A row that is shown needs no attester of a commitment, and a score is one number.
        if (!shape.privateInputs || shape.outputs != 1 || shape.scaleBits > MAX_SCALE_BITS) {
            revert UnsuitableModel(version);
        }
        Account storage account = accounts[borrower];
        uint64 period = ++account.period;
        account.attestedAt = uint40(block.timestamp);
        account.version = version;
        account.scaleBits = uint8(shape.scaleBits);
        account.pending = keccak256(abi.encodePacked(commitment));
        emit Attested(borrower, period, version, contextOf(borrower, period), commitment);
    }

    /// @notice Take back what was attested of a borrower, and the limit that followed from it.
    function withdraw(address borrower, string calldata reason) external {
        if (msg.sender != attester) revert NotTheAttester(msg.sender);
        Account storage account = accounts[borrower];
        account.pending = bytes32(0);
        account.scoreTime = 0;
        emit Withdrawn(borrower, account.period, reason);
    }

    /// @notice Settle a borrower's attestation with a proof of the score.
    /// @param proof The proof's bytes.
    /// @param publicInputs The two words of the commitment, the output's integer in two's complement, the context.
    function settle(address borrower, bytes calldata proof, uint256[] calldata publicInputs) external {
        if (publicInputs.length != 4) revert WrongLength(4, publicInputs.length);
        Account storage account = accounts[borrower];
        bytes32 digest = keccak256(abi.encodePacked(publicInputs[:2]));
        if (account.pending == bytes32(0) || digest != account.pending) revert RowNotPending(account.pending, digest);
        if (block.timestamp - account.attestedAt > maxAge) revert RowTooOld(account.attestedAt);
        uint256 context = contextOf(borrower, account.period);
        if (publicInputs[3] != context) revert WrongContext(context, publicInputs[3]);
        _verify(account.version, proof, publicInputs);

        // The verifier has checked that the word is the integer's canonical two's complement.
        int256 output = int256(publicInputs[2]);
        uint256 limit = limitFor(output, account.scaleBits);
        account.pending = bytes32(0);
        account.scoreTime = account.attestedAt;
        account.scoreVersion = account.version;
        account.limit = limit;
        emit LimitSet(borrower, account.period, account.version, output, limit);
    }

    /// @notice The limit of the highest tier that a score reaches; zero below the first.
    /// @param output The model's integer, of any size: no model can make this revert.
    /// @param scaleBits The output is its integer times 2^-scaleBits; at most MAX_SCALE_BITS.
    function limitFor(int256 output, uint256 scaleBits) public view returns (uint256 limit) {
        int256 far = int256(1) << (scaleBits + FAR_BITS);
        int256 score = output;
        if (score > far) score = far;
        if (score < -far) score = -far;
        if (highIsBad) score = -score;
        int256 wad = AssayWords.toWad(uint256(score), scaleBits);
        uint256 count = _tiers.length;
        for (uint256 i = 0; i < count; ++i) {
            Tier memory tier = _tiers[i];
            if (wad < tier.atLeast) break;
            limit = tier.limit;
        }
    }
}
