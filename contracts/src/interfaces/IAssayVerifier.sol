// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Verifier of one model's inferences
/// @notice Every contract that `assay solidity` generates has this interface.
/// @dev A verifier has no storage, no owner and no external calls except to the precompiles of
///      EIP-196, EIP-197 and EIP-198, so what it answers for some bytes never changes.
interface IAssayVerifier {
    /// @notice The caller forwarded less gas than any valid proof needs, so no verdict can be given.
    /// @dev Without this a relayer could starve a valid proof of gas and have it called invalid.
    error NotEnoughGas();

    /// @notice The chain does not have the precompile at `account`, or it does not compute what it must.
    /// @dev Of the constructor: a call of an empty account succeeds, so such a chain could not refuse a proof.
    error MissingPrecompile(uint256 account);

    /// @notice The key is a development key, whose maker can forge proofs, and chain `id` is not a local one.
    /// @dev Of the constructor.
    error DevelopmentKey(uint256 id);

    /// @notice Whether `proof` shows that the model maps the input rows in `publicInputs` to the outputs there.
    /// @dev Returns false for everything that is not a valid proof, whatever its bytes: it does not
    ///      revert on them, and a bad curve point costs a bounded amount of gas.
    ///      Only the canonical encoding is accepted: no second encoding of a statement verifies.
    /// @param proof The proof's bytes, of the exact length for the number of rows.
    /// @param publicInputs With public inputs: one word per row and feature, row by row (the feature's
    ///        key, or 2^keyBits for a missing value). With private inputs: the two words of the input
    ///        commitment. Then one word per row and output, row by row: the output's integer in
    ///        two's complement; the output is that integer times 2^-scaleBits. The last word is the
    ///        context, any word, to which the proof is bound: whoever asks for a proof says what it must
    ///        be (a consumer, a chain, a period) and compares it, or passes it here; zero where nothing was said.
    /// @return valid True for a valid proof.
    function verify(bytes calldata proof, uint256[] calldata publicInputs) external view returns (bool valid);

    /// @notice Digest of the verifying key: names the hidden model, its setup and its reference string.
    function modelId() external view returns (bytes32);

    /// @notice What the public inputs of this model look like.
    function shape() external view returns (Shape memory);

    /// @param features Input words per row.
    /// @param outputs Output words per row.
    /// @param scaleBits An output is its integer times 2^-scaleBits.
    /// @param keyBits Input words are below 2^keyBits; 2^keyBits itself means missing.
    /// @param maxRows Most rows that one proof may cover.
    /// @param privateInputs Whether inputs are hidden behind a commitment.
    /// @param development Whether the key was made from a development reference string, whose maker
    ///        can forge proofs. Such a verifier belongs on a local chain only.
    struct Shape {
        uint32 features;
        uint32 outputs;
        uint32 scaleBits;
        uint32 keyBits;
        uint32 maxRows;
        bool privateInputs;
        bool development;
    }
}
