import os
from pathlib import Path

import pytest

from assay.core.errors import AssayError, NotFound
from assay.prove import srs
from assay.prove.errors import SrsInvalid, SrsMissing, SrsUnexpected
from assay.prove.origin import UNKNOWN, ceremony_of, origin


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "srs"


def files(folder):
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"ASSAY_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c/srs"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/assay/srs"),
        ("linux", {}, "/h/.cache/assay/srs"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "/h/Library/Caches/assay/srs"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/assay/srs"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_caches(monkeypatch, platform, environment, expected):
    for name in ("ASSAY_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setattr("sys.platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(srs.cache_folder()) == expected


def test_generated_strings_are_kept_and_found(empty):
    made = srs.generate(64)
    assert (made.kind, made.degree) == ("development", 64)
    assert made.path.name in files(empty)
    assert all(name.startswith(made.path.name) for name in files(empty))
    assert srs.available() == [made]
    assert srs.find(made.digest, degree=64, kind="development") == made
    assert srs.read(made.path) == made


def test_two_generations_have_different_secrets(empty):
    assert srs.generate(64).digest != srs.generate(64).digest


def test_one_is_generated_only_when_none_is_large_enough(empty):
    steps = []
    first = srs.for_degree(100, progress=steps.append)
    assert first.degree == srs.SMALLEST + srs.SLACK
    assert srs.for_degree(first.degree, progress=steps.append) == first
    larger = srs.for_degree(first.degree + 1, progress=steps.append)
    assert larger.degree == 2 * srs.SMALLEST + srs.SLACK
    assert steps == ["Generating a development reference string"] * 2


def test_a_ceremony_that_is_large_enough_is_preferred(empty, monkeypatch):
    # Only names: what they say is not compared here.
    monkeypatch.setattr(srs, "whole", lambda found: found)
    empty.mkdir(parents=True)
    for name in ("ceremony-128-aa", "ceremony-4096-bb", "development-128-cc", "development-64-dd", "odd", "x-1-y"):
        (empty / f"{name}.srs").write_bytes(b"")
    assert srs.for_degree(100).digest == "aa"
    assert srs.for_degree(129).digest == "bb"
    assert [found.digest for found in srs.available()] == ["aa", "bb", "dd", "cc"]


def damaged(made: srs.Srs, at: int) -> None:
    content = bytearray(made.path.read_bytes())
    content[at] ^= 1
    made.path.write_bytes(content)


@pytest.mark.parametrize("at", [14, 20, 60, 180, -1, -2000])
def test_a_string_that_changed_in_the_cache_does_not_serve(empty, at):
    made = srs.generate(64)
    assert srs.find(made.digest, degree=64, kind="development") == made
    damaged(made, at)
    for ask in (lambda: srs.find(made.digest, degree=64, kind="development"), lambda: srs.for_degree(64)):
        with pytest.raises(AssayError) as caught:
            ask()
        assert caught.value.code in {"srs/invalid", "srs/malformed", "srs/too-small"}


@pytest.mark.parametrize("change", [("development", "ceremony"), ("-64-", "-128-")])
def test_a_name_that_lies_does_not_serve(empty, change):
    made = srs.generate(64)
    liar = made.path.with_name(made.path.name.replace(*change))
    made.path.rename(liar)
    (found,) = srs.available()
    with pytest.raises(SrsInvalid, match="not what its name says"):
        srs.whole(found)


def test_a_string_is_checked_once_for_each_file(empty, monkeypatch):
    made = srs.generate(64)

    def refuse():
        raise AssertionError("checked again")

    with monkeypatch.context() as patch:
        patch.setattr(srs, "native", refuse)
        assert srs.whole(made) == made  # made here, and so kept with its verdict
        os.utime(made.path, (1, 1))
        with pytest.raises(AssertionError, match="checked again"):
            srs.whole(made)
    assert srs.whole(made) == made


def test_the_origin_of_a_string(empty, tmp_path):
    made = origin(srs.generate(64).path)
    assert (made.kind, made.ceremony, made.squares) == ("development", None, 5)
    assert "development" in str(made)
    assert bytes.fromhex(made.tau_g2) == srs.tau(srs.available()[0])
    imported = origin(srs.import_file(arkworks(tmp_path)).path)
    assert (imported.ceremony, str(imported)) == (None, UNKNOWN)


def arkworks(folder, degree=64):
    """A development string in the form that ceremonies publish, as anybody could pass one off."""
    made = srs.generate(degree)
    content = made.path.read_bytes()
    powers = content[-64 * (degree + 1) :]
    out = bytearray((degree + 1).to_bytes(8, "little"))
    for at in range(0, len(powers), 64):
        out += powers[at : at + 64]
    g2 = [
        0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
        0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
        0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
        0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
    ]
    words = [int.from_bytes(srs.tau(made)[at : at + 32], "big") for at in range(0, 128, 32)]
    for word in [*g2, words[1], words[0], words[3], words[2]]:
        out += word.to_bytes(32, "little")
    out[8 + len(powers) : 8 + len(powers)] = bytes(8)
    source = folder / "string.bin"
    source.write_bytes(bytes(out) + bytes(8))
    return source


def test_what_is_expected_and_what_comes(empty, tmp_path):
    source = arkworks(tmp_path)
    tau = srs.tau(srs.available()[0]).hex()
    words = " ".join(f"0x{tau[at : at + 64].upper()}" for at in range(0, 256, 64))
    for expected in (tau, f"0x{tau}", words):
        assert srs.import_file(source, expect=expected).kind == "ceremony"
    before = files(empty)
    for expected in ("aztec-ignition", "00" * 128):
        with pytest.raises(SrsUnexpected, match=tau):
            srs.import_file(source, expect=expected)
    for nonsense in ("", "aztec", "0x1234", tau[:-1], tau + "0", "zz" * 128):
        with pytest.raises(SrsUnexpected, match=r"neither a ceremony that is known \(aztec-ignition\) nor"):
            srs.import_file(source, expect=nonsense)
    assert files(empty) == before


def test_the_ceremony_of_its_own_file(empty):
    """The real string, where it is at hand, is named; the code holds nothing that its powers do not confirm."""
    source = Path(__file__).parents[4] / "shared" / "srs" / "kzg10-bn254-aztec-srs-32768.bin"
    if not source.exists():
        pytest.skip(f"{source} is not here")
    imported = srs.import_file(source, expect="aztec-ignition")
    assert str(origin(imported.path)) == "aztec-ignition"
    assert ceremony_of(srs.tau(imported)) == "aztec-ignition"


def test_a_missing_string_is_named_with_what_to_do(empty):
    with pytest.raises(SrsMissing, match=r"ceremony reference string abc .*degree 9.* `assay srs import FILE`"):
        srs.find("abc", degree=9, kind="ceremony")


def test_importing_what_is_not_there_names_it(empty, tmp_path):
    with pytest.raises(NotFound, match=r"absent\.ptau"):
        srs.import_file(tmp_path / "absent.ptau")


@pytest.mark.parametrize("content", [b"", b"ptau", b"zkey" + bytes(100), bytes(4096), b"ptau" + b"\xff" * 4096])
def test_importing_garbage_is_refused_and_leaves_nothing(empty, tmp_path, content):
    source = tmp_path / "bad.ptau"
    source.write_bytes(content)
    with pytest.raises(AssayError) as caught:
        srs.import_file(source)
    assert caught.value.code.startswith("srs/")
    assert files(empty) == []
