// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IFeeSource} from "../interfaces/IFeeSource.sol";
import {Switchback} from "./Switchback.sol";

/// @title A pool's fee during an experiment: the new source in its periods, the existing one otherwise
contract SwitchbackFee is IFeeSource {
    /// @notice Who says which period is whose.
    Switchback public immutable draw;
    /// @notice The source that decided before.
    IFeeSource public immutable existing;
    /// @notice The source on trial.
    IFeeSource public immutable candidate;

    constructor(Switchback draw_, IFeeSource existing_, IFeeSource candidate_) {
        existing_.fee();
        candidate_.fee();
        draw_.isNew();
        draw = draw_;
        existing = existing_;
        candidate = candidate_;
    }

    /// @inheritdoc IFeeSource
    function fee() external view returns (uint24) {
        return draw.isNew() ? candidate.fee() : existing.fee();
    }
}
