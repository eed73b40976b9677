// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {IAssayVerifier} from "../interfaces/IAssayVerifier.sol";
import {IGate} from "./IGate.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title The versions of one task's model, and the one that decides
/// @notice A proposer brings versions and asks for a new default; both wait for a delay, in which a guardian can refuse
///         them. A guardian can freeze a model for ever, at any address. Going back to a version that decided before
///         needs no delay. Nothing is ever deleted, so what was allowed at any block can be read from the events.
/// @dev Whoever holds two of the roles could pass over the delay's purpose, so off local chains they differ.
contract ModelRegistry is IModelRegistry, AccessControlDefaultAdminRules {
    /// @param verifier Contract that verifies its proofs.
    /// @param readyAt Time from which it may become allowed.
    /// @param state What became of it.
    /// @param decided Whether it was the default at some time.
    /// @param until Last block in which its proofs count.
    /// @param codeHash Of the verifier's code.
    /// @param modelId Digest of its verifying key.
    /// @param release Digest of the release's public part.
    /// @param shape Digest of what its public inputs look like.
    struct Version {
        address verifier;
        uint48 readyAt;
        State state;
        bool decided;
        uint64 until;
        bytes32 codeHash;
        bytes32 modelId;
        bytes32 release;
        bytes32 shape;
    }

    enum State {
        None,
        Proposed,
        Allowed,
        Refused
    }

    /// @notice May propose versions and defaults, retire versions and go back.
    bytes32 public constant PROPOSER = keccak256("PROPOSER");
    /// @notice May refuse what is proposed, freeze models and go back.
    bytes32 public constant GUARDIAN = keccak256("GUARDIAN");

    /// @inheritdoc IModelRegistry
    bytes32 public immutable task;
    /// @notice Seconds that a proposal waits.
    uint48 public immutable delay;
    /// @notice Asked before a version becomes allowed; zero for none.
    IGate public immutable gate;

    /// @notice The default, also when its model is frozen; `current` is what consumers follow.
    uint32 public defaultVersion;
    /// @notice The version that is to become the default; zero if none is.
    uint32 public nextDefault;
    /// @notice Time from which it may.
    uint48 public nextDefaultAt;
    /// @notice How many versions there are.
    uint32 public versionCount;
    /// @notice Models that count no more, at whatever address.
    mapping(bytes32 modelId => bool) public frozen;
    mapping(uint32 version => Version) private _versions;

    event VersionProposed(
        uint32 indexed version, bytes32 indexed modelId, bytes32 indexed release, address verifier, uint48 readyAt
    );
    event VersionAllowed(uint32 indexed version, bytes evidence);
    event VersionRefused(uint32 indexed version, string reason);
    event VersionRetired(uint32 indexed version, uint64 until);
    event DefaultProposed(uint32 indexed version, uint48 readyAt);
    event DefaultWithdrawn(uint32 indexed version, string reason);
    event DefaultChanged(uint32 indexed before, uint32 indexed version, bool back);
    event ModelFrozen(bytes32 indexed modelId, string reason);

    error SameAccount();
    error NoDelay(uint256 chainId);
    error NeitherProposerNorGuardian(address caller);
    error UnknownVersion(uint32 version);
    error WrongState(uint32 version, State state);
    error WrongModel(bytes32 expected, bytes32 actual);
    error WrongCode(bytes32 expected, bytes32 actual);
    error Frozen(bytes32 modelId);
    error TooEarly(uint48 readyAt);
    error Retired(uint32 version, uint64 until);
    error NeverDecided(uint32 version);
    error StillDefault(uint32 version);
    error BadBlock(uint64 until);
    error NothingProposed();

    /// @param task_ Digest of the task that every version answers.
    /// @param admin Gives and takes the other roles; hands itself over in two steps, after the delay.
    /// @param proposer First holder of that role.
    /// @param guardian First holder of that role.
    /// @param delay_ Seconds that a proposal waits; zero on a local chain only.
    /// @param gate_ Asked before a version becomes allowed; zero for none.
    constructor(bytes32 task_, address admin, address proposer, address guardian, uint48 delay_, IGate gate_)
        AccessControlDefaultAdminRules(delay_, admin)
    {
        bool local = block.chainid == 31_337 || block.chainid == 1337;
        if (!local && delay_ == 0) revert NoDelay(block.chainid);
        if (!local && (admin == proposer || admin == guardian || proposer == guardian)) revert SameAccount();
        task = task_;
        delay = delay_;
        gate = gate_;
        _grantRole(PROPOSER, proposer);
        _grantRole(GUARDIAN, guardian);
    }

    modifier onlyProposerOrGuardian() {
        if (!hasRole(PROPOSER, msg.sender) && !hasRole(GUARDIAN, msg.sender)) {
            revert NeitherProposerNorGuardian(msg.sender);
        }
        _;
    }

    /// @notice Propose a version; it may become allowed after the delay.
    /// @param verifier Its deployed verifier.
    /// @param codeHash Of the code that is at that address.
    /// @param modelId Digest that its verifying key has.
    /// @param release Digest of the release's public part.
    function propose(address verifier, bytes32 codeHash, bytes32 modelId, bytes32 release)
        external
        onlyRole(PROPOSER)
        returns (uint32 version)
    {
        if (verifier.codehash != codeHash) revert WrongCode(codeHash, verifier.codehash);
        bytes32 actual = IAssayVerifier(verifier).modelId();
        if (actual != modelId) revert WrongModel(modelId, actual);
        if (frozen[modelId]) revert Frozen(modelId);
        version = ++versionCount;
        uint48 readyAt = uint48(block.timestamp) + delay;
        _versions[version] = Version({
            verifier: verifier,
            readyAt: readyAt,
            state: State.Proposed,
            decided: false,
            until: type(uint64).max,
            codeHash: codeHash,
            modelId: modelId,
            release: release,
            shape: keccak256(abi.encode(IAssayVerifier(verifier).shape()))
        });
        emit VersionProposed(version, modelId, release, verifier, readyAt);
    }

    /// @notice Allow a version whose delay has passed, if the gate agrees. Anyone may: the delay was the chance to refuse.
    /// @param evidence What the gate asks for.
    function allow(uint32 version, bytes calldata evidence) external {
        Version storage found = _version(version);
        if (found.state != State.Proposed) revert WrongState(version, found.state);
        if (block.timestamp < found.readyAt) revert TooEarly(found.readyAt);
        if (frozen[found.modelId]) revert Frozen(found.modelId);
        if (found.verifier.codehash != found.codeHash) revert WrongCode(found.codeHash, found.verifier.codehash);
        if (address(gate) != address(0)) gate.check(task, found.modelId, found.release, evidence);
        found.state = State.Allowed;
        emit VersionAllowed(version, evidence);
    }

    /// @notice Refuse a version that is proposed.
    function refuse(uint32 version, string calldata reason) external onlyRole(GUARDIAN) {
        Version storage found = _version(version);
        if (found.state != State.Proposed) revert WrongState(version, found.state);
        found.state = State.Refused;
        emit VersionRefused(version, reason);
    }

    /// @notice Propose that a version becomes the default. It replaces what was proposed before and waits anew.
    function proposeDefault(uint32 version) external onlyRole(PROPOSER) {
        _requireUsable(version);
        nextDefault = version;
        nextDefaultAt = uint48(block.timestamp) + delay;
        emit DefaultProposed(version, nextDefaultAt);
    }

    /// @notice Take back, or refuse, the proposed default.
    function withdrawDefault(string calldata reason) external onlyProposerOrGuardian {
        if (nextDefault == 0) revert NothingProposed();
        emit DefaultWithdrawn(nextDefault, reason);
        nextDefault = 0;
    }

    /// @notice Make the proposed version the default once its delay has passed. Anyone may.
    function makeDefault() external {
        uint32 version = nextDefault;
        if (version == 0) revert NothingProposed();
        if (block.timestamp < nextDefaultAt) revert TooEarly(nextDefaultAt);
        _requireUsable(version);
        nextDefault = 0;
        _decide(version, false);
    }

    /// @notice Go back, at once, to a version that was the default. What is proposed falls with it.
    function back(uint32 version) external onlyProposerOrGuardian {
        _requireUsable(version);
        if (!_versions[version].decided) revert NeverDecided(version);
        if (nextDefault != 0) {
            emit DefaultWithdrawn(nextDefault, "back");
            nextDefault = 0;
        }
        _decide(version, true);
    }

    /// @notice State the last block in which a version's proofs count. It can be brought forward, not put off.
    function retire(uint32 version, uint64 until) external onlyRole(PROPOSER) {
        Version storage found = _version(version);
        if (found.state != State.Allowed) revert WrongState(version, found.state);
        if (version == defaultVersion) revert StillDefault(version);
        if (until < block.number || until >= found.until) revert BadBlock(until);
        found.until = until;
        emit VersionRetired(version, until);
    }

    /// @notice No proof of this model counts from now on, at whatever address, for ever.
    function freeze(bytes32 modelId, string calldata reason) external onlyRole(GUARDIAN) {
        if (frozen[modelId]) revert Frozen(modelId);
        frozen[modelId] = true;
        emit ModelFrozen(modelId, reason);
        uint32 before = defaultVersion;
        if (before != 0 && _versions[before].modelId == modelId) {
            defaultVersion = 0;
            emit DefaultChanged(before, 0, false);
        }
    }

    /// @inheritdoc IModelRegistry
    /// @dev Freezing its model clears the default, and a default is never retired: neither is read again here.
    function current() external view returns (uint32 version, address verifier) {
        version = defaultVersion;
        Version storage found = _versions[version];
        verifier = found.verifier;
        if (version == 0 || verifier.codehash != found.codeHash) return (0, address(0));
    }

    /// @inheritdoc IModelRegistry
    function accepted(uint32 version) external view returns (address verifier) {
        Version storage found = _versions[version];
        if (found.state != State.Allowed || block.number > found.until || frozen[found.modelId]) return address(0);
        verifier = found.verifier;
        if (verifier.codehash != found.codeHash) return address(0);
    }

    /// @notice What is known of a version.
    function versions(uint32 version) external view returns (Version memory) {
        return _version(version);
    }

    function _version(uint32 version) private view returns (Version storage found) {
        found = _versions[version];
        if (found.state == State.None) revert UnknownVersion(version);
    }

    function _requireUsable(uint32 version) private view {
        Version storage found = _version(version);
        if (found.state != State.Allowed) revert WrongState(version, found.state);
        if (found.until != type(uint64).max) revert Retired(version, found.until);
        if (frozen[found.modelId]) revert Frozen(found.modelId);
    }

    function _decide(uint32 version, bool isBack) private {
        emit DefaultChanged(defaultVersion, version, isBack);
        defaultVersion = version;
        _versions[version].decided = true;
    }
}
