// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ILimitSource} from "../interfaces/ILimitSource.sol";
import {EntityDraw} from "./EntityDraw.sol";

/// @title A borrower's limit during an experiment: of the new source for those drawn to it, else of the existing one
contract SplitLimit is ILimitSource {
    /// @notice Who says about whom which source decides.
    EntityDraw public immutable draw;
    /// @notice The source that decided before.
    ILimitSource public immutable existing;
    /// @notice The source on trial.
    ILimitSource public immutable candidate;

    constructor(EntityDraw draw_, ILimitSource existing_, ILimitSource candidate_) {
        existing_.limitOf(address(this));
        candidate_.limitOf(address(this));
        draw_.isNew(address(this));
        draw = draw_;
        existing = existing_;
        candidate = candidate_;
    }

    /// @inheritdoc ILimitSource
    function limitOf(address borrower) external view returns (uint256) {
        return draw.isNew(borrower) ? candidate.limitOf(borrower) : existing.limitOf(borrower);
    }
}
