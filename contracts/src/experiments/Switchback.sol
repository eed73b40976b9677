// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Stoppable} from "./Stoppable.sol";

/// @title Which arm decides in which block of time, by a draw that nobody can grind or foresee
/// @notice Time is cut into periods of `length` blocks. Before the start the operator fixes a chain of hashes by its
///         end, the anchor. At the start of each period it opens the link before: with the hash of the block before
///         the period it draws the arm. A link that is not opened in time leaves the period to the process that
///         decided before; the next link shows what would have been drawn, so that leaving out periods hides nothing.
/// @dev The operator cannot choose links afterwards, and does not know the block's hash before; whoever makes that block
///      does not know the link. The two together could choose a draw: an operator that also makes blocks is not
///      covered. Who knows the link sees the draw one block before it counts.
contract Switchback is Stoppable {
    /// @notice First block of the first period.
    uint64 public immutable start;
    /// @notice Blocks of a period.
    uint32 public immutable length;
    /// @notice Number of periods.
    uint32 public immutable periods;
    /// @notice Blocks after its start in which a period's link may be opened.
    uint32 public immutable grace;

    /// @notice The last link that was opened; at first the anchor.
    bytes32 public link;
    /// @notice The period that it drew the arm of; at first zero.
    uint32 public opened;
    /// @notice Whether that period is the new arm's.
    bool private _new;

    /// @notice A period's arm was drawn: `mixed` is the hash of the block before it.
    event Opened(uint32 indexed period, bytes32 link, bytes32 mixed, bool newArm);

    error NotRunning();
    error AlreadyOpened(uint32 period);
    error TooLate(uint32 period);
    error NotTheLink(bytes32 link);

    /// @param plan_ SHA-256 of the plan.
    /// @param anchor The last link's hash, hashed once for each period but the last.
    /// @param share_ Chance of the new arm, in parts of a million.
    /// @param start_ First block of the first period; still to come.
    /// @param length_ Blocks of a period.
    /// @param periods_ Number of periods.
    /// @param grace_ Blocks in which a link may be opened: at most 256, since a chain knows no older hash.
    /// @param guardian_ Who may stop it.
    constructor(
        bytes32 plan_,
        bytes32 anchor,
        uint32 share_,
        uint64 start_,
        uint32 length_,
        uint32 periods_,
        uint32 grace_,
        address guardian_
    ) Stoppable(plan_, share_, guardian_) {
        if (anchor == 0 || start_ <= block.number || length_ == 0 || periods_ == 0) revert BadTerms();
        if (grace_ == 0 || grace_ > 256 || grace_ > length_) revert BadTerms();
        link = anchor;
        start = start_;
        length = length_;
        periods = periods_;
        grace = grace_;
    }

    /// @notice The period that runs, from 1; zero before the first and after the last.
    function current() public view returns (uint32) {
        if (block.number < start) return 0;
        uint256 number = (block.number - start) / length + 1;
        return number > periods ? 0 : uint32(number);
    }

    /// @notice Whether the new arm decides now.
    function isNew() public view returns (bool) {
        return _new && !stopped && opened == current();
    }

    /// @notice Draw the arm of the period that runs. Anybody may, who knows its link.
    /// @param link_ The value that hashes to the last link, once for each period since.
    function open(bytes32 link_) external {
        uint32 period = current();
        if (period == 0 || stopped) revert NotRunning();
        if (period == opened) revert AlreadyOpened(period);
        uint256 first = uint256(start) + uint256(length) * (period - 1);
        if (block.number >= first + grace) revert TooLate(period);
        bytes32 hashed = link_;
        for (uint32 number = opened; number < period; ++number) {
            hashed = keccak256(abi.encode(hashed));
        }
        if (hashed != link) revert NotTheLink(link_);
        bytes32 mixed = blockhash(first - 1);
        link = link_;
        opened = period;
        _new = _falls(keccak256(abi.encode(plan, period, link_, mixed)));
        emit Opened(period, link_, mixed, _new);
    }
}
