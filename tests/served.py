"""`assay up` on a free port, as tests start, ask and kill it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request


class Service:
    """All of it in a group of processes of its own; `said` is what it told a person."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "assay", "up", "-C", str(folder), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.said, self.folder = [], folder
        while not (found := re.search(r"listening on (http://\S+)", "".join(self.said))):
            line = self.process.stderr.readline()
            assert line, self.said
            self.said.append(line)
        self.url = found[1]
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self.said.extend(self.process.stderr)

    def ask(self, path, body=None, request=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data)  # noqa: S310  on the loopback
        key = (self.folder / ".assay" / "admin.key").read_text().strip()
        asked.add_header("Authorization", f"Bearer {key}")
        asked.add_header("Content-Type", "application/json")
        if request:
            asked.add_header("Idempotency-Key", request)
        with urllib.request.urlopen(asked, timeout=300) as answer:  # noqa: S310
            return json.load(answer)

    def kill(self):
        """All of it at once, as when a machine loses its power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._close()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self._close()

    def _close(self):
        code = self.process.wait()
        self._reader.join()
        self.process.stderr.close()
        return code
