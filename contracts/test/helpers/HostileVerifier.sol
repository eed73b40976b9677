// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../../src/interfaces/IAssayVerifier.sol";

/// @notice A verifier that a careless registry allowed: it says what it likes, once it is asked in earnest.
contract HostileVerifier {
    enum Way {
        Honest,
        Revert,
        Burn,
        Bomb,
        Nothing,
        Short,
        Two,
        WideShape
    }

    bytes32 public immutable modelId;
    Way public way;

    constructor(bytes32 modelId_) {
        modelId = modelId_;
    }

    function turn(Way way_) external {
        way = way_;
    }

    function verify(bytes calldata, uint256[] calldata) external view returns (bool) {
        _misbehave();
        return true;
    }

    function shape() external view returns (IAssayVerifier.Shape memory) {
        _misbehave();
        return IAssayVerifier.Shape(3, 1, 44, 32, 1, false, true);
    }

    function _misbehave() private view {
        Way chosen = way;
        if (chosen == Way.Revert) revert("no");
        if (chosen == Way.Burn) {
            while (true) {}
        }
        assembly {
            if eq(chosen, 3) { return(0, 0x40000) }
            if eq(chosen, 4) { return(0, 0) }
            if eq(chosen, 5) { return(0, 0x1f) }
            if eq(chosen, 6) {
                mstore(0, 2)
                return(0, 0x20)
            }
            if eq(chosen, 7) {
                // Features beyond 32 bits.
                mstore(0, shl(32, 1))
                return(0, 0xe0)
            }
        }
    }
}
