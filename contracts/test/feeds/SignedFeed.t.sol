// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignedFeed} from "../../src/feeds/SignedFeed.sol";
import {HiddenRow, Row, SignedRow, Withdrawal} from "../../src/feeds/SignedRow.sol";
import {Test} from "../helpers/Vm.sol";

/// @notice Keeps what it was told, and by whom.
contract Listener {
    address public teller;
    uint32 public version;
    uint256 public count;
    bytes32 public told;

    function postRow(uint256[] calldata row) external {
        _hear(0, keccak256(abi.encode(row)));
    }

    function postRow(uint32 version_, uint256[] calldata row) external {
        _hear(version_, keccak256(abi.encode(row)));
    }

    function attest(address subject, uint32 version_, uint256[2] calldata commitment) external {
        _hear(version_, keccak256(abi.encode(subject, commitment)));
    }

    function withdraw(address subject, string calldata reason) external {
        _hear(0, keccak256(abi.encode(subject, reason)));
    }

    function _hear(uint32 version_, bytes32 what) private {
        (teller, version, told) = (msg.sender, version_, what);
        ++count;
    }
}

contract SignedFeedTest is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant NOW = 1_800_000_000;
    uint256 private constant N = 5;
    uint256 private constant M = 3;
    address private constant ADMIN = address(0xad);
    uint48 private constant DELAY = 2 days;

    SignedFeed private _feed;
    Listener private _listener;
    uint256[] private _keys;

    function setUp() public {
        vm.chainId(1);
        vm.warp(NOW);
        for (uint256 i = 1; i <= N; ++i) {
            _keys.push(i);
        }
        uint256[] memory keys = _keys;
        _sort(keys);
        _keys = keys;
        _feed = new SignedFeed(_addresses(_keys), M, ADMIN, DELAY);
        _listener = new Listener();
    }

    // ---------------------------------------------------------------- rows

    function testFuzzEnoughSignersBringARow(uint256[] calldata words, uint32 version, uint8 which) public {
        Row memory row = _row(1, words);
        row.version = version;
        uint256[] memory keys = _some(which);
        bytes memory signatures = _signed(_feed.digestOf(row), keys);
        if (keys.length < M) {
            vm.expectRevert(abi.encodeWithSelector(SignedRow.TooFewSignatures.selector, M, keys.length));
            _feed.post(row, signatures);
            return;
        }
        _feed.post(row, signatures);
        require(_listener.told() == keccak256(abi.encode(words)), "words");
        require(_listener.teller() == address(_feed) && _listener.version() == version, "how");
        vm.expectRevert(abi.encodeWithSelector(SignedFeed.PeriodNotNew.selector, 1, 1));
        _feed.post(row, signatures);
    }

    function testFuzzNoSignatureOfAnotherThing(uint256 seed, uint256[] memory words) public {
        vm.assume(words.length > 0);
        Row memory row = _row(5, words);
        bytes memory signatures = _signed(_feed.digestOf(row), _first(M));
        Row memory other = _row(5, words);
        uint256 which = seed % 6;
        if (which == 0) other.consumer = address(new Listener());
        if (which == 1) ++other.version;
        if (which == 2) ++other.period;
        if (which == 3) ++other.expires;
        if (which == 4) other.words[seed % words.length] ^= 1 << (seed >> 248);
        if (which == 5) ++other.epoch;
        (bool brought,) = address(_feed).call(abi.encodeCall(SignedFeed.post, (other, signatures)));
        require(!brought, "a signature of another row counts");
        // Both rows are of the same words in memory.
        if (which == 4) other.words[seed % words.length] ^= 1 << (seed >> 248);
        _feed.post(row, signatures);
    }

    function testAnotherFeedOrChainIsAnotherDomain() public {
        Row memory row = _row(1, new uint256[](2));
        SignedFeed other = new SignedFeed(_addresses(_keys), M, ADMIN, DELAY);
        bytes memory signatures = _signed(other.digestOf(row), _first(M));
        _refused(row, signatures);
        signatures = _signed(_feed.digestOf(row), _first(M));
        vm.chainId(10);
        _refused(row, signatures);
        vm.chainId(1);
        _feed.post(row, signatures);
    }

    function testPeriodsRiseAndRowsExpire() public {
        Row memory late = _row(7, new uint256[](1));
        bytes memory signatures = _signed(_feed.digestOf(late), _first(M));
        vm.warp(late.expires + 1);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.Expired.selector, late.expires));
        _feed.post(late, signatures);
        vm.warp(late.expires);
        _feed.post(late, signatures);
        Row memory early = _row(6, new uint256[](1));
        signatures = _signed(_feed.digestOf(early), _first(M));
        vm.expectRevert(abi.encodeWithSelector(SignedFeed.PeriodNotNew.selector, 7, 6));
        _feed.post(early, signatures);
    }

    // ---------------------------------------------------------------- signatures

    function testNoSignerCountsTwice() public {
        Row memory row = _row(1, new uint256[](1));
        uint256[] memory keys = _first(M);
        keys[2] = keys[1];
        bytes memory signatures = _signed(_feed.digestOf(row), keys);
        address twice = vm.addr(keys[1]);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.SignersNotRising.selector, twice, twice));
        _feed.post(row, signatures);
    }

    function testTheOrderIsThatOfTheAddresses() public {
        Row memory row = _row(1, new uint256[](1));
        uint256[] memory keys = _first(M);
        (keys[0], keys[1]) = (keys[1], keys[0]);
        bytes memory signatures = _signed(_feed.digestOf(row), keys);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.SignersNotRising.selector, vm.addr(keys[0]), vm.addr(keys[1])));
        _feed.post(row, signatures);
    }

    function testAStrangersSignatureIsNone() public {
        Row memory row = _row(1, new uint256[](1));
        uint256[] memory keys = _first(M);
        keys[2] = 99;
        _sort(keys);
        bytes memory signatures = _signed(_feed.digestOf(row), keys);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NotASigner.selector, vm.addr(99)));
        _feed.post(row, signatures);
    }

    function testTheOtherFormOfASignatureIsNone() public {
        Row memory row = _row(1, new uint256[](1));
        bytes32 digest = _feed.digestOf(row);
        uint256[] memory keys = _first(M);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[2], digest);
        bytes32 high = bytes32(ORDER - uint256(s));
        require(ecrecover(digest, v ^ 7, r, high) == vm.addr(keys[2]), "it is the same signer's");
        uint256[] memory two = _first(2);
        bytes memory signatures = abi.encodePacked(_signed(digest, two), r, high, v ^ 7);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
        _feed.post(row, signatures);
    }

    function testFuzzAnyBytesAreNoSignatures(bytes calldata signatures) public {
        _refused(_row(1, new uint256[](1)), signatures);
    }

    function testFuzzAChangedSignatureIsNone(uint256 where, uint8 change) public {
        vm.assume(change != 0);
        Row memory row = _row(1, new uint256[](3));
        bytes memory signatures = _signed(_feed.digestOf(row), _first(M));
        where = where % signatures.length;
        signatures[where] = bytes1(uint8(signatures[where]) ^ change);
        _refused(row, signatures);
    }

    // ---------------------------------------------------------------- rows that nobody sees

    function testFuzzASignedCommitmentIsOfItsSubject(address subject, address other, uint256[2] calldata commitment)
        public
    {
        vm.assume(subject != other);
        HiddenRow memory row = HiddenRow(address(_listener), subject, 3, 1, 1, uint64(NOW + 60), commitment);
        bytes memory signatures = _signed(_feed.digestOf(row), _first(M));
        row.subject = other;
        (bool brought,) = address(_feed).call(abi.encodeCall(SignedFeed.attest, (row, signatures)));
        require(!brought, "another subject's");
        row.subject = subject;
        _feed.attest(row, signatures);
        require(_listener.told() == keccak256(abi.encode(subject, commitment)), "commitment");
        vm.expectRevert(abi.encodeWithSelector(SignedFeed.PeriodNotNew.selector, 1, 1));
        _feed.attest(row, signatures);
        // What is taken back stays so: the attestation cannot be brought again behind it.
        Withdrawal memory taken = Withdrawal(address(_listener), subject, 1, 2, uint64(NOW + 60), "a mistake");
        _feed.withdraw(taken, _signed(_feed.digestOf(taken), _first(M)));
        require(_listener.told() == keccak256(abi.encode(subject, "a mistake")), "withdrawal");
        vm.expectRevert(abi.encodeWithSelector(SignedFeed.PeriodNotNew.selector, 2, 1));
        _feed.attest(row, signatures);
    }

    // ---------------------------------------------------------------- who signs

    function testSignersChangeAfterTheDelayAndOldSignaturesEnd() public {
        address[] memory next = new address[](1);
        next[0] = vm.addr(77);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NotTheAdmin.selector, address(this)));
        _feed.proposeSigners(next, 1);
        vm.prank(ADMIN);
        _feed.proposeSigners(next, 1);
        vm.warp(NOW + DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NotReady.selector, uint48(NOW + DELAY)));
        _feed.setSigners(next, 1);
        vm.warp(NOW + DELAY);
        bytes32 proposed = _feed.pending();
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NotPending.selector, proposed, keccak256(abi.encode(next, 2))));
        _feed.setSigners(next, 2);
        Row memory row = _row(1, new uint256[](1));
        row.expires = uint64(NOW + 10 * DELAY);
        bytes memory old = _signed(_feed.digestOf(row), _first(M));
        _feed.setSigners(next, 1);
        _refused(row, old);
        uint256[] memory key = new uint256[](1);
        key[0] = 77;
        row.epoch = 2;
        _feed.post(row, _signed(_feed.digestOf(row), key));
        assertEq(_feed.epoch(), 2);
        require(!_feed.isSigner(vm.addr(1)) && _feed.signers().length == 1, "old signers stay");
    }

    /// @dev Three of five sign, two leave: what the others signed before that counts no more.
    function testFuzzARotationEndsTheSignaturesOfThoseWhoStay(uint256[] memory words) public {
        Row memory row = _row(1, words);
        bytes memory signatures = _signed(_feed.digestOf(row), _first(M));
        _rotated();
        vm.expectRevert(abi.encodeWithSelector(SignedRow.OtherEpoch.selector, 2, 1));
        _feed.post(row, signatures);
        // The new number cannot be put on the old signatures.
        row.epoch = 2;
        _refused(row, signatures);
        _feed.post(row, _signed(_feed.digestOf(row), _first(M)));
        assertEq(_listener.count(), 1);
    }

    function testFuzzARotationEndsWhatWasSignedOfSubjects(uint256[2] memory commitment) public {
        HiddenRow memory row = HiddenRow(address(_listener), address(7), 1, 1, 1, uint64(NOW + 60), commitment);
        Withdrawal memory taken = Withdrawal(address(_listener), address(7), 1, 1, uint64(NOW + 60), "a mistake");
        bytes memory ofRow = _signed(_feed.digestOf(row), _first(M));
        bytes memory ofTaken = _signed(_feed.digestOf(taken), _first(M));
        _rotated();
        bytes memory ended = abi.encodeWithSelector(SignedRow.OtherEpoch.selector, 2, 1);
        vm.expectRevert(ended);
        _feed.attest(row, ofRow);
        vm.expectRevert(ended);
        _feed.withdraw(taken, ofTaken);
        row.epoch = 2;
        taken.epoch = 2;
        (bool brought,) = address(_feed).call(abi.encodeCall(SignedFeed.attest, (row, ofRow)));
        (bool withdrawn,) = address(_feed).call(abi.encodeCall(SignedFeed.withdraw, (taken, ofTaken)));
        require(!brought && !withdrawn && _listener.count() == 0, "it was brought");
        _feed.attest(row, _signed(_feed.digestOf(row), _first(M)));
        assertEq(_listener.count(), 1);
    }

    function testALastPeriodOfAnEarlierSetKeepsNobodyFromSigning() public {
        Row memory row = _row(type(uint64).max, new uint256[](1));
        _feed.post(row, _signed(_feed.digestOf(row), _first(M)));
        uint256[2] memory commitment = [uint256(1), 2];
        HiddenRow memory hidden =
            HiddenRow(address(_listener), address(7), 1, 1, type(uint64).max, uint64(NOW + 60), commitment);
        _feed.attest(hidden, _signed(_feed.digestOf(hidden), _first(M)));
        _rotated();
        row = _row(1, new uint256[](1));
        row.epoch = 2;
        _feed.post(row, _signed(_feed.digestOf(row), _first(M)));
        Withdrawal memory taken = Withdrawal(address(_listener), address(7), 2, 1, uint64(NOW + 60), "a slip");
        _feed.withdraw(taken, _signed(_feed.digestOf(taken), _first(M)));
        assertEq(_feed.periodOf(2, address(_listener)), 1);
        assertEq(_feed.periodOfSubject(2, address(_listener), address(7)), 1);
    }

    function testNobodySignsForASetThatIsToCome() public {
        Row memory row = _row(1, new uint256[](1));
        row.epoch = 2;
        bytes memory signatures = _signed(_feed.digestOf(row), _first(M));
        vm.expectRevert(abi.encodeWithSelector(SignedRow.OtherEpoch.selector, 1, 2));
        _feed.post(row, signatures);
    }

    function testAProposalIsCancelled() public {
        address[] memory next = _addresses(_keys);
        vm.prank(ADMIN);
        _feed.proposeSigners(next, 1);
        vm.prank(ADMIN);
        _feed.cancelSigners();
        vm.warp(NOW + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(SignedRow.NotPending.selector, bytes32(0), keccak256(abi.encode(next, 1)))
        );
        _feed.setSigners(next, 1);
    }

    function testWithoutAnAdminNothingChanges() public {
        SignedFeed fixed_ = new SignedFeed(_addresses(_keys), M, address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NotTheAdmin.selector, address(this)));
        fixed_.proposeSigners(_addresses(_keys), 1);
        vm.expectRevert(abi.encodeWithSelector(SignedRow.NoDelay.selector, 1));
        new SignedFeed(_addresses(_keys), M, ADMIN, 0);
    }

    function testSetsOfSignersThatAreNone() public {
        address[] memory some = _addresses(_keys);
        bytes memory bad = abi.encodeWithSelector(SignedRow.BadSigners.selector);
        vm.expectRevert(bad);
        new SignedFeed(some, 0, ADMIN, DELAY);
        vm.expectRevert(bad);
        new SignedFeed(some, N + 1, ADMIN, DELAY);
        some[1] = some[0];
        vm.expectRevert(bad);
        new SignedFeed(some, M, ADMIN, DELAY);
        some[1] = address(0);
        some[0] = address(0);
        vm.expectRevert(bad);
        new SignedFeed(some, M, ADMIN, DELAY);
        vm.expectRevert(bad);
        new SignedFeed(new address[](33), 1, ADMIN, DELAY);
    }

    // ---------------------------------------------------------------- how

    /// @dev The first M of the signers stay; what was signed has not expired.
    function _rotated() private {
        address[] memory stay = _addresses(_first(M));
        vm.prank(ADMIN);
        _feed.proposeSigners(stay, M);
        vm.warp(NOW + DELAY);
        _feed.setSigners(stay, M);
        vm.warp(NOW);
    }

    function _row(uint64 period, uint256[] memory words) private view returns (Row memory) {
        return Row(address(_listener), 0, uint64(_feed.epoch()), period, uint64(NOW + 60), words);
    }

    function _refused(Row memory row, bytes memory signatures) private {
        (bool brought,) = address(_feed).call(abi.encodeCall(SignedFeed.post, (row, signatures)));
        require(!brought && _listener.count() == 0, "it was brought");
    }

    function _signed(bytes32 digest, uint256[] memory keys) private pure returns (bytes memory signatures) {
        for (uint256 i = 0; i < keys.length; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i], digest);
            signatures = abi.encodePacked(signatures, r, s, v);
        }
    }

    function _first(uint256 count) private view returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = _keys[i];
        }
    }

    /// @dev The signers whose bit is set.
    function _some(uint256 bits) private view returns (uint256[] memory keys) {
        keys = new uint256[](N);
        uint256 count;
        for (uint256 i = 0; i < N; ++i) {
            if (bits >> i & 1 == 1) keys[count++] = _keys[i];
        }
        assembly ("memory-safe") {
            mstore(keys, count)
        }
    }

    function _addresses(uint256[] memory keys) private pure returns (address[] memory found) {
        found = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            found[i] = vm.addr(keys[i]);
        }
    }

    /// @dev By their addresses, rising.
    function _sort(uint256[] memory keys) private pure {
        for (uint256 i = 0; i < keys.length; ++i) {
            for (uint256 j = i; j > 0 && vm.addr(keys[j - 1]) > vm.addr(keys[j]); --j) {
                (keys[j - 1], keys[j]) = (keys[j], keys[j - 1]);
            }
        }
    }
}
