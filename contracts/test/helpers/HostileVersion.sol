// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../../src/interfaces/IAssayVerifier.sol";

/// @notice What stands in a registry as a ModelWithRow and is none: every proof is valid, and a row is what it likes.
contract HostileVersion {
    enum Way {
        Honest,
        Revert,
        Burn,
        Bomb,
        Nothing,
        Short,
        Two,
        Later,
        Elsewhere,
        Fewer,
        More
    }

    bytes32 public immutable modelId;
    Way public way;

    constructor(bytes32 modelId_) {
        modelId = modelId_;
    }

    function turn(Way way_) external {
        way = way_;
    }

    function verify(bytes calldata, uint256[] calldata) external pure returns (bool) {
        return true;
    }

    function shape() external pure returns (IAssayVerifier.Shape memory) {
        return IAssayVerifier.Shape(2, 1, 44, 32, 1, false, true);
    }

    /// @notice The row [1, 2] of a bar that ends now, but for its way.
    fallback() external {
        Way chosen = way;
        if (chosen == Way.Revert) revert("no");
        if (chosen == Way.Burn) {
            while (true) {}
        }
        assembly {
            mstore(0x00, 1)
            mstore(0x20, timestamp())
            mstore(0x40, 0x60)
            mstore(0x60, 2)
            mstore(0x80, 1)
            mstore(0xa0, 2)
            mstore(0xc0, 3)
            if eq(chosen, 3) { return(0, 0x40000) }
            if eq(chosen, 4) { return(0, 0) }
            if eq(chosen, 5) { return(0, 0xa0) }
            if eq(chosen, 6) { mstore(0x00, 2) }
            if eq(chosen, 7) { mstore(0x20, add(timestamp(), 1)) }
            if eq(chosen, 8) { mstore(0x40, 0x80) }
            if eq(chosen, 9) {
                mstore(0x60, 1)
                return(0, 0xa0)
            }
            if eq(chosen, 10) {
                mstore(0x60, 3)
                return(0, 0xe0)
            }
            return(0, 0xc0)
        }
    }
}
