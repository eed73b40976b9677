// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {HiddenRow, Row, SignedRow, Withdrawal} from "./SignedRow.sol";

/// @notice What a feed calls of its consumers: ForecastFee and RegimeFeePool, RegistryFee, CreditLimit.
interface IFedConsumer {
    function postRow(uint256[] calldata row) external;
    function postRow(uint32 version, uint256[] calldata row) external;
    function attest(address borrower, uint32 version, uint256[2] calldata commitment) external;
    function withdraw(address borrower, string calldata reason) external;
}

/// @title A feed or an attester that is m of n signers
/// @notice Name this contract as a consumer's `feed` or `attester`. Whoever has the signatures brings them: nobody is
///         trusted with that, and the signers need no gas.
/// @dev A consumer's own rules hold as before: it numbers its periods itself, and takes rows from this address alone.
contract SignedFeed is SignedRow {
    /// @notice Period of the last row for a consumer, of an epoch: a set of signers that was replaced, or a slip of it, leaves no
    ///         mark that keeps the next one from signing.
    mapping(uint64 epoch => mapping(address consumer => uint64)) public periodOf;
    /// @notice Period of the last that was signed of a subject for a consumer, of an epoch.
    mapping(uint64 epoch => mapping(address consumer => mapping(address subject => uint64))) public periodOfSubject;

    event RowBrought(address indexed consumer, uint64 indexed period, bytes32 digest);
    event HiddenRowBrought(address indexed consumer, address indexed subject, uint64 indexed period, bytes32 digest);
    event WithdrawalBrought(address indexed consumer, address indexed subject, uint64 indexed period, bytes32 digest);

    /// @notice The period, or a later one, was brought already.
    error PeriodNotNew(uint64 last, uint64 given);

    /// @param signers_ Their addresses, rising.
    /// @param threshold_ How many must sign.
    /// @param admin_ Who may change them; zero for nobody, ever.
    /// @param delay_ Seconds that a change waits; zero on a local chain only.
    constructor(address[] memory signers_, uint256 threshold_, address admin_, uint48 delay_)
        SignedRow(signers_, threshold_, admin_, delay_)
    {}

    /// @notice Bring a signed row to its consumer.
    function post(Row calldata row, bytes calldata signatures) external {
        uint64 last = periodOf[row.epoch][row.consumer];
        if (row.period <= last) revert PeriodNotNew(last, row.period);
        bytes32 digest = digestOf(row);
        _requireSigned(digest, row.epoch, row.expires, signatures);
        periodOf[row.epoch][row.consumer] = row.period;
        emit RowBrought(row.consumer, row.period, digest);
        IFedConsumer consumer = IFedConsumer(row.consumer);
        if (row.version == 0) consumer.postRow(row.words);
        else consumer.postRow(row.version, row.words);
    }

    /// @notice Bring the signed commitment of a row that nobody sees to its consumer.
    function attest(HiddenRow calldata row, bytes calldata signatures) external {
        bytes32 digest = digestOf(row);
        _take(row.epoch, row.consumer, row.subject, row.period);
        _requireSigned(digest, row.epoch, row.expires, signatures);
        emit HiddenRowBrought(row.consumer, row.subject, row.period, digest);
        IFedConsumer(row.consumer).attest(row.subject, row.version, row.commitment);
    }

    /// @notice Take back what was signed of a subject, and what followed from it.
    function withdraw(Withdrawal calldata taken, bytes calldata signatures) external {
        bytes32 digest = digestOf(taken);
        _take(taken.epoch, taken.consumer, taken.subject, taken.period);
        _requireSigned(digest, taken.epoch, taken.expires, signatures);
        emit WithdrawalBrought(taken.consumer, taken.subject, taken.period, digest);
        IFedConsumer(taken.consumer).withdraw(taken.subject, taken.reason);
    }

    function _take(uint64 epoch_, address consumer, address subject, uint64 period) private {
        uint64 last = periodOfSubject[epoch_][consumer][subject];
        if (period <= last) revert PeriodNotNew(last, period);
        periodOfSubject[epoch_][consumer][subject] = period;
    }
}
