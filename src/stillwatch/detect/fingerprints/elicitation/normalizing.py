"""Bring prompts and the phrases of rules into the one form in which they are compared.

Case, runs of white space, quotation marks, hyphens and Markdown marks carry no meaning for a rule, and
noise is cheap for an adversary, so all of them go. Letters in full-width or mathematical styles become
plain ones and invisible characters disappear. Only the first `HEAD_CHARACTERS` and the last
`TAIL_CHARACTERS` of a text are examined: instructions stand at the beginning or the end, and the middle
of a long prompt is material.

Most text is plain ASCII, and most of the rest needs lower case only: that happens byte by byte while texts are squeezed.
"""

import re
import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEAD_CHARACTERS = 2_000
TAIL_CHARACTERS = 500

# Stands where the middle of a long text was cut out. No pattern reaches across it.
CUT = "\x1e"
BARRIER = b"\n"

_TO_SPACE = bytes(range(0x20)) + b"\x7f" + b"*_-`\"'#~|="

# Rows with one of these take the slow way: full-width and mathematical letters, invisible characters,
# uncommon spaces, combining marks, and the decomposed forms of Hangul, kana and Devanagari letters.
_ODD_CHARACTERS = (
    r"[\x{A0}\x{AD}\x{300}-\x{36F}\x{958}-\x{95F}\x{1100}-\x{11FF}\x{180E}\x{2000}-\x{200F}\x{2028}-\x{202F}"
    r"\x{205F}-\x{2064}\x{3000}\x{3099}\x{309A}\x{FE00}-\x{FE0F}\x{FEFF}\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}"
    r"\x{1D400}-\x{1D7FF}]"
)


def _byte_table() -> bytes:
    table = bytearray(range(256))
    for byte in _TO_SPACE:
        table[byte] = 0x20
    table[ord(CUT)] = BARRIER[0]
    for letter in range(ord("A"), ord("Z") + 1):
        table[letter] = letter + 32
    return bytes(table)


def _odd_table() -> dict[int, str]:
    table: dict[int, str] = dict.fromkeys(
        [0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2060, 0x2065)], ""
    )
    table |= dict.fromkeys([*range(0x202A, 0x202F), *range(0xFE00, 0xFE10)], "")
    table |= dict.fromkeys([0xA0, 0x3000, 0x2028, 0x2029, 0x202F, 0x205F, *range(0x2000, 0x200B)], " ")
    for point in (
        *range(0xFF10, 0xFF1A),
        *range(0xFF21, 0xFF3B),
        *range(0xFF41, 0xFF5B),
        *range(0x1D400, 0x1D800),
    ):
        table[point] = unicodedata.normalize("NFKC", chr(point))
    return table


BYTE_TABLE = _byte_table()
"""What each byte of prepared text counts as: marks and control characters are spaces, capitals small letters."""
_CHARACTER_TABLE = {code: chr(BYTE_TABLE[code]) for code in range(128)}
_ODD_TABLE = _odd_table()


def prepare_texts(texts: pa.Array) -> pa.StringArray:
    """Take the steps of normalization that look at characters; `BYTE_TABLE` and joining spaces do the rest.

    Only rows with other than ASCII characters need any, beyond cutting.

    Args:
        texts: `(n_rows,)` strings, null where there is none; less than 2 GiB of text.

    Returns:
        As many rows; a null becomes an empty row.
    """
    clipped = _clip(texts.cast(pa.string()).fill_null(""))
    foreign = pc.invert(pc.string_is_ascii(clipped))
    rows = clipped.filter(foreign)
    if not len(rows):
        return clipped
    return pc.replace_with_mask(clipped, foreign, pc.utf8_lower(_straighten(rows)))


def prepare_text(text: str) -> str:
    """Do for one text what `prepare_texts` does for many."""
    return str(prepare_texts(pa.array([text], pa.string()))[0].as_py())


@lru_cache(maxsize=1)
def lower_case() -> npt.NDArray[np.int32]:
    """Return for each character of the basic plane its lower case; -1 where a text with it needs `prepare_texts`."""
    points = [point for point in range(1 << 16) if not 0xD800 <= point < 0xE000]
    characters = pa.array([chr(point) for point in points], pa.string())
    odd = pc.match_substring_regex(characters, _ODD_CHARACTERS).to_numpy(zero_copy_only=False)
    lower = np.array([ord(character) for character in pc.utf8_lower(characters).to_pylist()], np.int32)
    table = np.full(1 << 16, -1, np.int32)
    table[points] = np.where(odd, -1, lower)
    return table


def squeeze_text(text: str) -> str:
    """Do for one prepared text what scanning does byte by byte."""
    return re.sub(" {2,}", " ", text.translate(_CHARACTER_TABLE))


def _clip(texts: pa.StringArray) -> pa.StringArray:
    """Cut the middle out of long rows. Bytes bound characters from above, so most rows need no counting."""
    limit = HEAD_CHARACTERS + TAIL_CHARACTERS
    if not len(texts) or pc.max(pc.binary_length(texts)).as_py() <= limit:
        return texts
    maybe = pc.greater(pc.binary_length(texts), limit)
    long = pc.and_(maybe, pc.greater(pc.utf8_length(pc.if_else(maybe, texts, "")), limit))
    rows = texts.filter(long)
    head = pc.utf8_slice_codeunits(rows, 0, HEAD_CHARACTERS)
    tail = pc.utf8_slice_codeunits(rows, -TAIL_CHARACTERS)
    return pc.replace_with_mask(texts, long, pc.binary_join_element_wise(head, tail, CUT))


def _straighten(texts: pa.StringArray) -> pa.StringArray:
    """Undo letter styles, invisible characters and decomposed letters in the rows that have any."""
    odd = pc.match_substring_regex(texts, _ODD_CHARACTERS)
    if not pc.any(odd).as_py():
        return texts
    plain = [_straighten_text(text) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(plain, pa.string()))


def _straighten_text(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_ODD_TABLE))
