// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IFeeSource} from "../interfaces/IFeeSource.sol";

/// @title The fee of whichever source the pool's owner has chosen
/// @notice What pools on a chain have in their governance: somebody may let the pool ask another contract. Of all that
///         decides the fee this owner alone is trusted; it chooses who decides, and posts no row and no forecast.
contract ChosenFee is IFeeSource {
    /// @notice Who may choose.
    address public immutable owner;
    /// @notice Who says what the fee is now.
    IFeeSource public source;

    /// @notice Another source decides from now on.
    event SourceChosen(IFeeSource indexed before, IFeeSource indexed source);

    error NotTheOwner(address caller);

    constructor(address owner_, IFeeSource first) {
        first.fee();
        owner = owner_;
        source = first;
    }

    /// @notice Let another source decide. It must say a fee, or the pool would stand still: so neither it nor what it falls back
    ///         to may ask this contract.
    function choose(IFeeSource next) external {
        if (msg.sender != owner) revert NotTheOwner(msg.sender);
        emit SourceChosen(source, next);
        source = next;
        next.fee(); // asked last: a source that asks this contract finds itself
    }

    /// @inheritdoc IFeeSource
    function fee() external view returns (uint24) {
        return source.fee();
    }
}
