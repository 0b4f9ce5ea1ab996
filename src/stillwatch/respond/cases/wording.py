"""What people may write into a case: short, printable, and no credentials."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Final

from stillwatch.domain.sensitive import CREDENTIAL
from stillwatch.errors import CaseError

MAX_NOTE: Final = 4_000
MAX_REASON: Final = 1_000
MAX_NAME: Final = 200
_ALLOWED_CONTROLS: Final = frozenset("\n\t")


def linted(text: str, what: str, most: int) -> str:
    """Return the text without space around it.

    Args:
        text: What a person wrote.
        what: What it is, for the message: "a note", "a reason".
        most: Characters allowed.

    Raises:
        CaseError: it is empty, too long, holds control characters or looks like a credential.
    """
    text = text.strip()
    if not text:
        raise CaseError(f"{what} must say something", hint="write one sentence at least")
    if len(text) > most:
        raise CaseError(
            f"{what} has {len(text):,} characters, at most {most:,}",
            hint="say it shorter and refer to where the rest is; texts of customers do not belong here",
        )
    if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in _ALLOWED_CONTROLS for c in text):
        raise CaseError(f"{what} holds control characters", hint="paste it as plain text")
    if CREDENTIAL.search(text):
        raise CaseError(f"{what} looks as if it held a credential", hint="leave the credential out")
    return text


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_names(names: Iterable[str]) -> str:
    """Return the SHA-256 of a set of names, whatever their order, hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(set(names)):
        raw = name.encode("utf-8", errors="surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
