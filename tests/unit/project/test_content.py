"""Digests of files are those of their content, read once."""

import hashlib
import os

from assay.project.content import ABSENT, of_file, of_place


def test_a_file_has_the_digest_of_its_content(tmp_path):
    path, memory = tmp_path / "rows", {}
    path.write_bytes(b"x" * 3_000_000)
    assert of_file(path, memory) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert of_file(tmp_path / "none", memory) == ABSENT
    assert list(memory) == [str(path)]


def test_a_file_is_read_again_when_its_size_or_time_changed(tmp_path):
    path, memory = tmp_path / "rows", {}
    path.write_text("one")
    first = of_file(path, memory)
    memory[str(path)][2] = "remembered"
    assert of_file(path, memory) == "remembered"
    os.utime(path, ns=(1, 1))
    assert of_file(path, memory) == first
    path.write_text("four")
    assert of_file(path, memory) != first


def test_folders_and_patterns_cover_their_files(tmp_path):
    for name in ("b.parquet", "a.parquet", "deep/c.parquet", "other.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    folder, pattern = of_place(tmp_path, "in", {}), of_place(tmp_path, "in/*.parquet", {})
    assert of_place(tmp_path / "elsewhere", str(tmp_path / "in" / "*.parquet"), {}) == pattern
    assert of_place(tmp_path, "in/*.csv", {}) == ABSENT
    (tmp_path / "in" / "other.txt").write_text("changed")
    assert of_place(tmp_path, "in", {}) != folder
    assert of_place(tmp_path, "in/*.parquet", {}) == pattern
    (tmp_path / "in" / "a.parquet").write_text("changed")
    assert of_place(tmp_path, "in/*.parquet", {}) != pattern
