import io
import json
import random
import zipfile
from contextlib import suppress

import pytest
from tests.unit.serve.small import keep, parts

from assay.core.errors import AssayError
from assay.record import releases
from assay.record.database import Database
from assay.release import export
from assay.release.errors import ReleaseAltered, WrongPassphrase
from assay.release.make import digest_of, take


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("made"))


@pytest.fixture
def database(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield found
    found.close()


@pytest.fixture
def written(database, made, tmp_path):
    kept = keep(database, made)
    path = tmp_path / "one.release"
    export.export(database, kept, path, "open sesame")
    return kept, path


def test_what_is_read_is_what_was_written(written, database):
    kept, path = written
    public, contents = export.read(path)
    assert (public.digest, public.private) == (kept.digest, {})
    assert digest_of(public.public) == kept.digest
    whole, more = export.read(path, "open sesame")
    assert whole.private == kept.private
    assert set(contents) < set(more)
    with pytest.raises(WrongPassphrase):
        export.read(path, "close sesame")
    assert releases.find(database) == [kept]


def test_equal_releases_give_equal_public_files(written, database, tmp_path):
    kept, _ = written
    for name in ("a", "b"):
        export.export(database, kept, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_altered_file_is_taken(written, tmp_path):
    """One byte anywhere: refused in one sentence, or it changed nothing that is read."""
    kept, path = written
    content = path.read_bytes()
    source = random.Random(3)
    for _ in range(400):
        altered = bytearray(content)
        altered[source.randrange(len(altered))] ^= 1 << source.randrange(8)
        other = tmp_path / "altered"
        other.write_bytes(altered)
        with suppress(AssayError):
            found, _ = export.read(other, "open sesame")
            assert (found.digest, found.private) == (kept.digest, kept.private)
    for cut in (0, 1, 100, len(content) // 2, len(content) - 1):
        other.write_bytes(content[:cut])
        with pytest.raises(ReleaseAltered):
            export.read(other)


def test_a_part_longer_than_it_says_is_not_unpacked(written, tmp_path):
    _, path = written
    bomb = tmp_path / "bomb"
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["parts/task.toml"] = bytes(64 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    bomb.write_bytes(buffer.getvalue())
    with pytest.raises(ReleaseAltered, match="longer than"):
        export.read(bomb)


def test_a_release_is_taken_out_whole(written, database, tmp_path, made):
    kept, _ = written
    take(database, kept, tmp_path / "out")
    assert (tmp_path / "out" / "circuit.json").read_bytes() == made.private["circuit.json"]
    assert (tmp_path / "out" / "proving.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change",
    [
        {"private": {name: "0" * 64}}
        for name in ("code/../../x.py", "code//etc/x.py", "/x", "../x", "code/.", "code/", "..")
    ]
    + [{"parts": {"/x": {"digest": "0" * 64, "bytes": 0}}}]
    + [{"project": name} for name in ("../x", "", "a" * 64, "a b", "<script>", 7)],
)
def test_names_that_lead_elsewhere_are_not_taken(written, tmp_path, change):
    """A stranger's release has whatever names the stranger likes, and its digest fits them."""
    _, path = written
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist() if name != "private.bin"}
    public = json.loads(contents["release.json"])
    for field, value in change.items():
        public[field] = public[field] | value if isinstance(value, dict) else value
    contents["release.json"] = json.dumps(public).encode()
    with zipfile.ZipFile(tmp_path / "hostile", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(ReleaseAltered):
        export.read(tmp_path / "hostile")
