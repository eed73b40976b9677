// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "./interfaces/IAssayVerifier.sol";

/// @title Calls of a verifier that the caller did not pin
/// @notice A consumer that follows a registry calls contracts that did not exist when it was deployed. Whatever such a
///         contract does costs a bounded amount of gas, and no more of its answer is read than the interface has.
library VerifierCalls {
    /// @notice Gas that `shape` gets; generated verifiers need less than a tenth of it.
    uint256 internal constant SHAPE_GAS = 50_000;

    /// @notice Ask for the verdict on a proof.
    /// @param gasLimit Most gas that the verifier gets.
    /// @return answered Whether it returned within that gas, and returned a bool.
    /// @return valid Its verdict; false without an answer.
    function verify(address verifier, uint256 gasLimit, bytes calldata proof, uint256[] calldata publicInputs)
        internal
        view
        returns (bool answered, bool valid)
    {
        bytes memory asked = abi.encodeCall(IAssayVerifier.verify, (proof, publicInputs));
        uint256 word;
        assembly ("memory-safe") {
            answered := staticcall(gasLimit, verifier, add(asked, 0x20), mload(asked), 0x00, 0x20)
            word := mload(0x00)
            answered := and(answered, and(eq(returndatasize(), 0x20), lt(word, 2)))
        }
        valid = answered && word == 1;
    }

    /// @notice Ask what the public inputs look like.
    /// @return answered Whether it returned a shape.
    /// @return found The shape; all zero without an answer.
    function shape(address verifier) internal view returns (bool answered, IAssayVerifier.Shape memory found) {
        bytes memory asked = abi.encodeCall(IAssayVerifier.shape, ());
        uint256[7] memory words;
        uint256 limit = SHAPE_GAS;
        assembly ("memory-safe") {
            answered := staticcall(limit, verifier, add(asked, 0x20), mload(asked), words, 0xe0)
            answered := and(answered, eq(returndatasize(), 0xe0))
        }
        for (uint256 i = 0; i < 7; ++i) {
            if (words[i] > (i < 5 ? type(uint32).max : 1)) answered = false;
        }
        if (!answered) return (false, found);
        found = IAssayVerifier.Shape({
            features: uint32(words[0]),
            outputs: uint32(words[1]),
            scaleBits: uint32(words[2]),
            keyBits: uint32(words[3]),
            maxRows: uint32(words[4]),
            privateInputs: words[5] == 1,
            development: words[6] == 1
        });
    }
}
