import errno
import os
import stat
import subprocess
import sys
import tempfile
import threading

import pytest

from assay.core import files
from assay.core.errors import DiskFull, KeyInPlace, NotFound, ReadOnly, StorageError, WrongKindOfFile


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def fails(number):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def test_write_creates_parents_and_replaces(tmp_path):
    place = tmp_path / "a" / "b.txt"
    files.write(place, "one")
    files.write(place, b"two")
    assert tree(tmp_path) == {"a/b.txt": "two"}


def test_what_is_of_another_kind_is_not_replaced(tmp_path):
    place = tmp_path / "rows.json"
    place.write_text('{"inputs": [[1]]}')
    with pytest.raises(WrongKindOfFile, match=r"rows\.json is a file of another kind, so it was not replaced"):
        files.write(place, '{"schema": "proof/1"}', over='"proof/')
    assert tree(tmp_path) == {"rows.json": '{"inputs": [[1]]}'}
    for there in ("", '{"schema": "proof/0"}'):
        place.write_text(there)
        files.write(place, '{"schema": "proof/1"}', over='"proof/')
        assert tree(tmp_path) == {"rows.json": '{"schema": "proof/1"}'}


def test_read_returns_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"\0\xff")
    assert files.read(tmp_path / "x") == b"\0\xff"


def test_read_names_what_is_missing(tmp_path):
    with pytest.raises(NotFound, match="absent"):
        files.read(tmp_path / "absent")


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(WrongKindOfFile):
        files.read(tmp_path)
    with pytest.raises(WrongKindOfFile):
        files.write(tmp_path, "x")


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EROFS, ReadOnly), (errno.EACCES, ReadOnly)],
)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, number, kind):
    place = tmp_path / "kept.txt"
    place.write_text("old")
    monkeypatch.setattr(os, "fsync", fails(number))
    with pytest.raises(kind, match=r"kept\.txt"):
        files.write(place, "new")
    assert tree(tmp_path) == {"kept.txt": "old"}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_file_that_does_not_fit_is_refused_whole(tmp_path):
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from assay.core import files\n"
        "from assay.core.errors import DiskFull\n"
        "try: files.write('result.txt', 'x' * 2000)\n"
        "except DiskFull: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    assert tree(tmp_path) == {}


def test_a_new_folder_appears_whole(tmp_path):
    with files.folder(tmp_path / "deep" / "new") as place:
        (place / "a").write_text("1")
        assert not (tmp_path / "deep" / "new").exists()
        (place / "b").write_text("2")
    assert tree(tmp_path) == {"deep/new/a": "1", "deep/new/b": "2"}


def test_in_an_old_folder_other_files_stay(tmp_path):
    (tmp_path / "mine").write_text("keep")
    (tmp_path / "a").write_text("old")
    with files.folder(tmp_path) as place:
        (place / "a").write_text("new")
    assert tree(tmp_path) == {"mine": "keep", "a": "new"}


def test_in_an_old_folder_all_files_are_replaced_or_none(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(WrongKindOfFile), files.folder(tmp_path) as place:
        _fill(place, "a", "b")
    assert tree(tmp_path) == {"a": "old"}


def test_no_place_for_temporary_files(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(StorageError, match="set TMPDIR"), files.scratch():
        pytest.fail("the block must not start")


def _fill(place, *names):
    for name in names:
        (place / name).write_text("new")


def _fill_and_fail(place, failure):
    (place / "a").write_text("1")
    raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, MemoryError])
def test_a_folder_that_was_not_finished_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure), files.folder(tmp_path / "deep" / "new") as place:
        _fill_and_fail(place, failure)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_made_in_place_of_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WrongKindOfFile), files.folder(tmp_path / "file"):
        pytest.fail("the block must not start")
    with pytest.raises(WrongKindOfFile), files.folder(tmp_path / "file" / "below"):
        pytest.fail("the block must not start")
    assert tree(tmp_path) == {"file": "x"}


def fill(folder, content):
    with files.folder(folder) as fresh:
        for name, data in content.items():
            (fresh / name).write_bytes(data)


def test_no_proving_key_is_replaced(tmp_path):
    """Whichever way: as a file, or in a folder, of which then nothing moves."""
    key = files.PROVING_KEY + b',"version":1}\nthe key'
    place = tmp_path / "keys" / "proving.key"
    files.write(place, key)
    files.write(place, key)
    for other in (b"a report", key + b"x"):
        with pytest.raises(KeyInPlace, match=r"proving\.key is a proving key"):
            files.write(place, other)
        with pytest.raises(KeyInPlace):
            fill(place.parent, {"circuit.json": b"{}", "proving.key": other})
    assert tree(tmp_path) == {"keys/proving.key": key.decode()}
    place.unlink()
    files.write(place, b"a report")
    files.write(place, key)


def test_a_secret_file_is_one_from_its_first_byte(tmp_path, monkeypatch):
    modes = []
    fsync = os.fsync

    def watched(number):
        modes.append(stat.S_IMODE(os.fstat(number).st_mode))
        fsync(number)

    monkeypatch.setattr(os, "fsync", watched)
    umask = os.umask(0)
    try:
        files.write(tmp_path / "plain", "x")
        files.write(tmp_path / "secret", "x", secret=True)
        files.write(tmp_path / "plain", "x", secret=True)  # replaced by one that is
    finally:
        os.umask(umask)
    assert modes == [0o666, 0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "plain").stat().st_mode) == 0o600


@pytest.mark.parametrize("there", [False, True])
def test_of_two_proving_keys_that_come_at_once_none_is_replaced(tmp_path, monkeypatch, there):
    place, both = tmp_path / "keys", threading.Barrier(2)
    if there:
        place.mkdir()
    judged, said = files._spare_key, []

    def checked(*given):
        judged(*given)
        both.wait()  # the other has looked, too, before anything is moved

    def spare(place, fresh):
        (checked if place.name == "proving.key" else judged)(place, fresh)

    monkeypatch.setattr(files, "_spare_key", spare)

    def make(name):
        try:
            with files.folder(place) as made:
                (made / "proving.key").write_bytes(files.PROVING_KEY + name)
                (made / "circuit.json").write_bytes(name)
                both.wait()
        except KeyInPlace as error:
            said.append(error)
            both.abort()
        except threading.BrokenBarrierError:
            pass

    threads = [threading.Thread(target=make, args=(name,)) for name in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = (place / "proving.key").read_bytes().removeprefix(files.PROVING_KEY)
    assert ((place / "circuit.json").read_bytes(), len(said)) == (kept, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["keys"]
