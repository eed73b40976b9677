// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../../src/interfaces/IAssayVerifier.sol";

/// @notice Answers what a test tells it to, so that a consumer's own rules can be tested alone. Generated
///         verifiers are tested together with consumers in tests/unit/chain/test_consumer.py.
contract ScriptedVerifier is IAssayVerifier {
    bytes32 public immutable modelId;
    Shape private _shape;
    bytes32 private _valid;

    constructor(bytes32 modelId_, uint32 features, uint32 outputs, bool privateInputs) {
        modelId = modelId_;
        _shape = Shape(features, outputs, 44, 32, 1, privateInputs, true);
    }

    /// @notice From now on exactly this pair is valid.
    function accept(bytes calldata proof, uint256[] calldata publicInputs) external {
        _valid = keccak256(abi.encode(proof, publicInputs));
    }

    /// @notice From now on the model has so many scale bits.
    function scale(uint32 bits) external {
        _shape.scaleBits = bits;
    }

    function verify(bytes calldata proof, uint256[] calldata publicInputs) external view returns (bool) {
        return keccak256(abi.encode(proof, publicInputs)) == _valid;
    }

    function shape() external view returns (Shape memory) {
        return _shape;
    }
}
