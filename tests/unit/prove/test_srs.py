import pytest

from assay.core.errors import AssayError, NotFound
from assay.prove import srs
from assay.prove.errors import SrsMissing


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


def test_a_ceremony_that_is_large_enough_is_preferred(empty):
    empty.mkdir(parents=True)
    for name in ("ceremony-128-aa", "ceremony-4096-bb", "development-128-cc", "development-64-dd", "odd", "x-1-y"):
        (empty / f"{name}.srs").write_bytes(b"")
    assert srs.for_degree(100).digest == "aa"
    assert srs.for_degree(129).digest == "bb"
    assert [found.digest for found in srs.available()] == ["aa", "bb", "dd", "cc"]


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
