"""Make text that somebody else wrote safe to look at.

Exemplars, account ids, model names and surfaces come from traffic, so an attacker wrote some of them. A
terminal obeys escape sequences, and a page obeys characters that reorder what follows. Both are written out
visibly here; markup is the business of each report's own escaping.
"""

import unicodedata
from typing import Final

_ELLIPSIS: Final = "…"
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, invisible formatting (all bidirectional overrides), lone surrogates, private and unassigned."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width joiners: Persian, Hindi and emoji need them, and they reorder nothing."""


def inert(text: str, limit: int | None = None) -> str:
    r"""Return `text` on one line with every dangerous character written out, as in \u001b.

    Args:
        text: Text from traffic.
        limit: Characters to keep at most, the ellipsis included; None keeps all.
    """
    flat = " ".join(text.split())
    if limit is not None and len(flat) > limit:
        flat = flat[: limit - 1].rstrip() + _ELLIPSIS
    if flat.isprintable():  # nearly all text, thirty times faster than looking at each character
        return flat
    return "".join(_visible(character) for character in flat)


def _visible(character: str) -> str:
    """Return the character itself, or its code if it would do something instead of showing."""
    if character in _JOINERS or unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
