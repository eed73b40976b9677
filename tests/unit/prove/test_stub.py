import subprocess
import sys

from assay import _core


def test_the_stub_says_what_the_binary_has(tmp_path):
    # The stub imports nothing of Assay's: the package around it, which `make lint` checks, is not checked for a minute.
    (tmp_path / "mypy.ini").write_text("[mypy]\nfollow_imports = skip\n")
    command = [sys.executable, "-m", "mypy.stubtest", "assay._core", "--concise", "--ignore-disjoint-bases"]
    command += ["--mypy-config-file", tmp_path / "mypy.ini"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_errors_of_the_core_carry_a_code_and_a_sentence():
    try:
        _core.proof_info(b"")
    except _core.CoreError as error:
        code, message = error.args
        assert code == "proof/malformed"
        assert message
    else:
        raise AssertionError("an empty proof was read")
