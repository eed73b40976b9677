"""Who looks at the page: an API key, given once, then a signed cookie that can look and not act.

The cookie names the key and is signed with a secret of this machine. It ends after eight hours, or when the key is
revoked. What changes who decides asks for the API key again: a stolen cookie can read what its key reads, no more.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeTimedSerializer

from assay.core import files
from assay.serve.errors import NotAuthorised, NotPermitted

if TYPE_CHECKING:
    from pathlib import Path

    from assay.serve.keys import ApiKey, Keyring

COOKIE = "assay_session"
SECRET_FILE = "page.secret"  # noqa: S105  a file's name
SECONDS = 8 * 3600
_LETTERS = 64


@dataclass(frozen=True)
class Session:
    """One person's look at the page.

    Attributes
    ----------
    key
        Whose answers are shown, and what may be done.
    token
        What every form carries: another site's form cannot know it.
    """

    key: ApiKey
    token: str

    def require_token(self, given: str) -> None:
        """Raise `NotPermitted` unless a form came from this page."""
        if not hmac.compare_digest(given.encode(errors="replace"), self.token.encode()):
            raise NotPermitted("the form is not from this page, or from before you signed in", "Load the page again.")


class Sessions:
    """Makes and reads cookies.

    Parameters
    ----------
    folder
        The project's `.assay`, where the secret is kept (mode 0600), so that a restart signs nobody out.
    """

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder, self._keyring = folder, keyring
        self._signer: URLSafeTimedSerializer | None = None

    def begin(self, text: str) -> str:
        """A cookie for whoever gives an API key; raises `NotAuthorised`."""
        key = self._keyring.of(f"Bearer {text.strip()}")
        return str(self._serializer().dumps({"key": key.id, "token": secrets.token_hex(16)}))

    def of(self, cookie: str | None) -> Session:
        """The session of a cookie; raises `NotAuthorised`."""
        try:
            found = self._serializer().loads(cookie or "", max_age=SECONDS)
        except BadSignature:
            raise NotAuthorised("nobody is signed in, or no longer", "Sign in with an API key.") from None
        return Session(self._keyring.named(found["key"]), found["token"])

    def _serializer(self) -> URLSafeTimedSerializer:
        if self._signer is None:
            path = self._folder / SECRET_FILE
            word = files.read(path).decode(errors="replace").strip() if path.exists() else ""
            if len(word) < _LETTERS:  # whoever guesses it signs in as anybody
                word = secrets.token_hex(_LETTERS // 2)
                with files.translated(path, "write"):
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                files.write(path, word + "\n", secret=True)
            self._signer = URLSafeTimedSerializer(word, salt="assay page")
        return self._signer
