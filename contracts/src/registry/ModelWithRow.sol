// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IObservations} from "../interfaces/IObservations.sol";
import {IRow} from "../interfaces/IRow.sol";

/// @title One version of a model together with what makes its rows
/// @notice A registry gets it in the verifier's place: it answers as that does, and makes the row that a proof must be of.
///         So what is proposed, waits for the delay, can be refused, becomes the default and is gone back to, is both.
/// @dev No storage, no owner. Its own code says which two contracts of which code it speaks for, so its code's hash, which
///      the registry keeps, pins them; where one of them changes all the same, nothing here answers any more.
contract ModelWithRow is IAssayVerifier, IRow {
    /// @notice What `assay solidity` generated for the model.
    IAssayVerifier public immutable verifier;
    /// @notice Hash of the code that it generates for the reviewed key.
    bytes32 public immutable verifierCode;
    /// @inheritdoc IAssayVerifier
    bytes32 public immutable modelId;
    /// @notice What `assay row` generated for the model.
    IRow public immutable rows;
    /// @notice Hash of its code.
    bytes32 public immutable rowCode;

    error WrongCode(bytes32 expected, bytes32 actual);
    error WrongModel(bytes32 expected, bytes32 actual);

    /// @param verifier_ The verifier.
    /// @param verifierCode_ Hash of its code, as it was reviewed.
    /// @param modelId_ Digest that the verifying key had then.
    /// @param rows_ What makes the model's rows.
    /// @param rowCode_ Hash of its code, as it was reviewed.
    constructor(IAssayVerifier verifier_, bytes32 verifierCode_, bytes32 modelId_, IRow rows_, bytes32 rowCode_) {
        _requireCode(address(verifier_), verifierCode_);
        _requireCode(address(rows_), rowCode_);
        bytes32 actual = verifier_.modelId();
        if (actual != modelId_) revert WrongModel(modelId_, actual);
        verifier = verifier_;
        verifierCode = verifierCode_;
        modelId = modelId_;
        rows = rows_;
        rowCode = rowCode_;
    }

    /// @inheritdoc IAssayVerifier
    function verify(bytes calldata proof, uint256[] calldata publicInputs) external view returns (bool) {
        _requireCode(address(verifier), verifierCode);
        return verifier.verify(proof, publicInputs);
    }

    /// @inheritdoc IAssayVerifier
    function shape() external view returns (Shape memory) {
        return verifier.shape();
    }

    /// @inheritdoc IRow
    function row(IObservations source, bytes32 series)
        external
        view
        returns (bool known, uint256 end, uint256[] memory words)
    {
        _requireCode(address(rows), rowCode);
        return rows.row(source, series);
    }

    function _requireCode(address account, bytes32 expected) private view {
        bytes32 actual = account.codehash;
        if (actual != expected) revert WrongCode(expected, actual);
    }
}
