// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title An experiment of an agreed plan, which a guardian may end for ever
abstract contract Stoppable {
    /// @notice Parts of a share.
    uint256 public constant PARTS = 1_000_000;
    /// @notice SHA-256 of the plan, as everybody can read it.
    bytes32 public immutable plan;
    /// @notice The chance of the new arm, in parts of `PARTS`.
    uint32 public immutable share;
    /// @notice Who may stop it: a guardrail is passed, or anything else went wrong.
    address public immutable guardian;
    /// @notice Whether it was stopped; the process that decided before then decides.
    bool public stopped;

    /// @notice It was stopped; nothing starts it again.
    event Stopped(string why);

    error NotTheGuardian(address caller);
    error BadTerms();

    constructor(bytes32 plan_, uint32 share_, address guardian_) {
        if (plan_ == 0 || share_ == 0 || share_ >= PARTS || guardian_ == address(0)) revert BadTerms();
        plan = plan_;
        share = share_;
        guardian = guardian_;
    }

    /// @notice End the experiment: from now on the process that decided before decides.
    /// @param why For whoever reads the chain later.
    function stop(string calldata why) external {
        if (msg.sender != guardian) revert NotTheGuardian(msg.sender);
        stopped = true;
        emit Stopped(why);
    }

    /// @dev Whether a draw falls to the new arm.
    function _falls(bytes32 draw) internal view returns (bool) {
        return uint256(draw) % PARTS < share;
    }
}
