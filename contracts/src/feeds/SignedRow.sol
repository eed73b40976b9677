// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @notice A feature row that signers vouch for.
/// @param consumer The contract that it is for.
/// @param version The registry's version whose words these are; zero for a consumer of one pinned model.
/// @param epoch The set of signers that signs, by its number: a rotation ends what was signed before it.
/// @param period Its number, above that of every row for the consumer before it.
/// @param expires The last second in which it may be brought.
/// @param words The row's input words, as the verifier takes them.
struct Row {
    address consumer;
    uint32 version;
    uint64 epoch;
    uint64 period;
    uint64 expires;
    uint256[] words;
}

/// @notice A row that nobody sees: signers have seen it and vouch for its commitment.
/// @param consumer The contract that it is for.
/// @param subject Of whom the row is.
/// @param version The registry's version whose commitment it is: each has a key of its own.
/// @param epoch The set of signers that signs, by its number.
/// @param period Its number, above that of everything that was signed of the subject for the consumer before it.
/// @param expires The last second in which it may be brought.
/// @param commitment The two words of the input commitment.
struct HiddenRow {
    address consumer;
    address subject;
    uint32 version;
    uint64 epoch;
    uint64 period;
    uint64 expires;
    uint256[2] commitment;
}

/// @notice What signers take back of a subject.
struct Withdrawal {
    address consumer;
    address subject;
    uint64 epoch;
    uint64 period;
    uint64 expires;
    string reason;
}

/// @title Rows signed by m of n
/// @notice EIP-712: a signature is of this chain, this contract, one consumer, one period and one set of signers, and counts
///         until it expires or the set changes. The signers change by an admin, after a delay in which everybody can see it; without an admin they never do.
/// @dev Signatures are 65 bytes each, one behind the other, in the order of their signers' addresses: so none counts
///      twice. OpenZeppelin's ECDSA refuses the second form that each signature has. Signers are keys: a contract's
///      signatures (EIP-1271) are not taken, since what a contract accepts may change after it was looked at.
abstract contract SignedRow is EIP712 {
    bytes32 internal constant ROW =
        keccak256("Row(address consumer,uint32 version,uint64 epoch,uint64 period,uint64 expires,uint256[] words)");
    bytes32 internal constant HIDDEN_ROW = keccak256(
        "HiddenRow(address consumer,address subject,uint32 version,uint64 epoch,uint64 period,uint64 expires,uint256[2] commitment)"
    );
    bytes32 internal constant WITHDRAWAL = keccak256(
        "Withdrawal(address consumer,address subject,uint64 epoch,uint64 period,uint64 expires,string reason)"
    );
    uint256 private constant SIGNATURE = 65;
    /// @notice Most signers.
    uint256 public constant MAX_SIGNERS = 32;

    /// @notice Who may change the signers; nobody if it is zero.
    address public immutable admin;
    /// @notice Seconds that a change waits.
    uint48 public immutable delay;
    /// @notice How many signatures a row needs.
    uint256 public threshold;
    /// @notice Number of the set of signers; the first is 1.
    uint256 public epoch;
    /// @notice Digest of the change that waits, zero if none does.
    bytes32 public pending;
    /// @notice From when on it can be made.
    uint48 public readyAt;
    address[] private _signers;
    mapping(uint256 epoch => mapping(address signer => bool)) private _signs;

    event SignersProposed(address[] signers, uint256 threshold, uint48 readyAt);
    event SignersCancelled(bytes32 indexed digest);
    event SignersSet(uint256 indexed epoch, address[] signers, uint256 threshold);

    error NotTheAdmin(address caller);
    error NoDelay(uint256 chain);
    /// @notice Signers rise and are not zero, and at least one and at most all of them must sign.
    error BadSigners();
    error NotPending(bytes32 pending, bytes32 actual);
    error NotReady(uint48 readyAt);
    error Expired(uint64 expires);
    /// @notice Signed by another set of signers than that of now, or for one.
    error OtherEpoch(uint256 epoch, uint64 given);
    error BadLength(uint256 length);
    error TooFewSignatures(uint256 needed, uint256 given);
    error NotASigner(address recovered);
    error SignersNotRising(address before, address next);

    /// @param signers_ Their addresses, rising.
    /// @param threshold_ How many must sign.
    /// @param admin_ Who may change them; zero for nobody, ever.
    /// @param delay_ Seconds that a change waits; zero on a local chain only.
    constructor(address[] memory signers_, uint256 threshold_, address admin_, uint48 delay_)
        EIP712("Assay feed", "1")
    {
        bool local = block.chainid == 31_337 || block.chainid == 1337;
        if (!local && admin_ != address(0) && delay_ == 0) revert NoDelay(block.chainid);
        admin = admin_;
        delay = delay_;
        _requireSound(signers_, threshold_);
        _set(signers_, threshold_);
    }

    // ---------------------------------------------------------------- who signs

    /// @notice The signers, rising.
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @notice Whether a signature of this account counts now.
    function isSigner(address account) public view returns (bool) {
        return _signs[epoch][account];
    }

    /// @notice Propose other signers; it replaces a proposal that waits. Once the change is made no signature from before it
    ///         counts, of those who stay as little as of those who leave.
    function proposeSigners(address[] calldata signers_, uint256 threshold_) external {
        if (msg.sender != admin) revert NotTheAdmin(msg.sender);
        _requireSound(signers_, threshold_);
        pending = keccak256(abi.encode(signers_, threshold_));
        readyAt = uint48(block.timestamp) + delay;
        emit SignersProposed(signers_, threshold_, readyAt);
    }

    /// @notice Drop the proposal that waits.
    function cancelSigners() external {
        if (msg.sender != admin) revert NotTheAdmin(msg.sender);
        if (pending == bytes32(0)) revert NotPending(0, 0);
        emit SignersCancelled(pending);
        pending = bytes32(0);
    }

    /// @notice Make the change that waited: anyone may.
    function setSigners(address[] calldata signers_, uint256 threshold_) external {
        bytes32 digest = keccak256(abi.encode(signers_, threshold_));
        if (pending == bytes32(0) || digest != pending) revert NotPending(pending, digest);
        if (block.timestamp < readyAt) revert NotReady(readyAt);
        pending = bytes32(0);
        _set(signers_, threshold_);
    }

    function _requireSound(address[] memory signers_, uint256 threshold_) private pure {
        if (threshold_ == 0 || threshold_ > signers_.length || signers_.length > MAX_SIGNERS) revert BadSigners();
        address before;
        for (uint256 i = 0; i < signers_.length; ++i) {
            if (signers_[i] <= before) revert BadSigners();
            before = signers_[i];
        }
    }

    function _set(address[] memory signers_, uint256 threshold_) private {
        uint256 now_ = ++epoch;
        for (uint256 i = 0; i < signers_.length; ++i) {
            _signs[now_][signers_[i]] = true;
        }
        _signers = signers_;
        threshold = threshold_;
        emit SignersSet(now_, signers_, threshold_);
    }

    // ---------------------------------------------------------------- what they sign

    /// @notice What is signed of a row.
    function digestOf(Row calldata row) public view returns (bytes32) {
        bytes32 words = keccak256(abi.encodePacked(row.words));
        return _hashTypedDataV4(
            keccak256(abi.encode(ROW, row.consumer, row.version, row.epoch, row.period, row.expires, words))
        );
    }

    /// @notice What is signed of a row that nobody sees.
    function digestOf(HiddenRow calldata row) public view returns (bytes32) {
        bytes32 words = keccak256(abi.encodePacked(row.commitment));
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    HIDDEN_ROW, row.consumer, row.subject, row.version, row.epoch, row.period, row.expires, words
                )
            )
        );
    }

    /// @notice What is signed to take something back.
    function digestOf(Withdrawal calldata taken) public view returns (bytes32) {
        bytes32 reason = keccak256(bytes(taken.reason));
        return _hashTypedDataV4(
            keccak256(
                abi.encode(WITHDRAWAL, taken.consumer, taken.subject, taken.epoch, taken.period, taken.expires, reason)
            )
        );
    }

    /// @dev Reverts unless enough of the signers signed the digest, as the set that they are now, and it has not expired.
    function _requireSigned(bytes32 digest, uint64 epoch_, uint64 expires, bytes calldata signatures) internal view {
        if (block.timestamp > expires) revert Expired(expires);
        if (epoch_ != epoch) revert OtherEpoch(epoch, epoch_);
        if (signatures.length % SIGNATURE != 0) revert BadLength(signatures.length);
        uint256 given = signatures.length / SIGNATURE;
        if (given < threshold) revert TooFewSignatures(threshold, given);
        address before;
        for (uint256 i = 0; i < given; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i * SIGNATURE:(i + 1) * SIGNATURE]);
            if (signer <= before) revert SignersNotRising(before, signer);
            if (!isSigner(signer)) revert NotASigner(signer);
            before = signer;
        }
    }
}
