"""Bring prompts and the phrases of rules into the one form in which they are compared.

Case, runs of white space, quotation marks, hyphens and Markdown marks carry no meaning for a rule, and
noise is cheap for an adversary, so all of them go. Letters in full-width or mathematical styles become
plain ones and invisible characters disappear. Only the first `HEAD_CHARACTERS` and the last
`TAIL_CHARACTERS` of a text are examined: instructions stand at the beginning or the end, and the middle
of a long prompt is material.

Most text is plain ASCII and takes only two passes over bytes; the costly steps run on the rows that need them.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEAD_CHARACTERS = 2_000
TAIL_CHARACTERS = 500

# Stands where the middle of a long text was cut out. No pattern reaches across it.
_CUT = "\x1e"
_BARRIER = b"\n"

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
    table[ord(_CUT)] = _BARRIER[0]
    return bytes(table)


def _odd_table() -> dict[int, str]:
    table: dict[int, str] = dict.fromkeys([0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2060, 0x2065)], "")
    table |= dict.fromkeys([*range(0x202A, 0x202F), *range(0xFE00, 0xFE10)], "")
    table |= dict.fromkeys([0xA0, 0x3000, 0x2028, 0x2029, 0x202F, 0x205F, *range(0x2000, 0x200B)], " ")
    for point in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), *range(0x1D400, 0x1D800)):
        table[point] = unicodedata.normalize("NFKC", chr(point))
    return table


_BYTE_TABLE = _byte_table()
_ODD_TABLE = _odd_table()


@dataclass(frozen=True, slots=True)
class NormalizedTexts:
    """Texts of many rows, normalized, end to end in one buffer.

    Args:
        data: `(n_bytes,)` the UTF-8 bytes of all rows.
        offsets: `(n_rows + 1,)` int32; row `i` is `data[offsets[i]:offsets[i + 1]]`.
    """

    data: bytes
    offsets: npt.NDArray[np.int32]

    def to_arrow(self) -> pa.StringArray:
        """The same rows as an Arrow array, without copying."""
        return pa.StringArray.from_buffers(
            len(self.offsets) - 1, pa.py_buffer(self.offsets), pa.py_buffer(self.data)
        )


def normalize_texts(texts: pa.Array) -> NormalizedTexts:
    """Normalize every row of a string array.

    Args:
        texts: `(n_rows,)` strings, null where there is none. The caller keeps one call below 2 GiB.

    Returns:
        As many rows as came in; a null becomes an empty row.
    """
    plain = pc.utf8_lower(_straighten(_clip(texts.cast(pa.string()).fill_null(""))))
    offsets = np.frombuffer(plain.buffers()[1], np.int32, len(plain) + 1, plain.offset * 4)
    first, last = (int(offsets[0]), int(offsets[-1])) if len(plain) else (0, 0)
    buffer = plain.buffers()[2]
    data = buffer.slice(first, last - first).to_pybytes() if buffer is not None else b""
    return _squeeze(data.translate(_BYTE_TABLE), offsets - first if len(plain) else np.zeros(1, np.int32))


def normalize_phrase(text: str) -> str:
    """Normalize one text as the rows of `normalize_texts` are, without trimming it."""
    return normalize_texts(pa.array([text], pa.string())).data.decode()


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
    return pc.replace_with_mask(texts, long, pc.binary_join_element_wise(head, tail, _CUT))


def _straighten(texts: pa.StringArray) -> pa.StringArray:
    """Undo letter styles, invisible characters and decomposed letters in the rows that have any."""
    foreign = pc.invert(pc.string_is_ascii(texts))
    if not pc.any(foreign).as_py():
        return texts
    positions = np.flatnonzero(foreign.to_numpy(zero_copy_only=False))
    odd = pc.match_substring_regex(texts.filter(foreign), _ODD_CHARACTERS).to_numpy(zero_copy_only=False)
    if not odd.any():
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[positions[odd]] = True
    plain = [_straighten_text(text) for text in texts.filter(pa.array(mask)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(plain, pa.string()))


def _straighten_text(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_ODD_TABLE))


def _squeeze(data: bytes, offsets: npt.NDArray[np.int32]) -> NormalizedTexts:
    """Collapse runs of spaces to one; a row's first space stays when the row before ends with one."""
    codes = np.frombuffer(data, np.uint8)
    space = codes == 0x20
    repeated = np.zeros(len(codes), np.bool_)
    np.logical_and(space[1:], space[:-1], out=repeated[1:])
    starts = offsets[:-1]
    repeated[starts[starts < len(codes)]] = False
    if not repeated.any():
        return NormalizedTexts(data, np.ascontiguousarray(offsets, np.int32))
    dropped = np.flatnonzero(repeated)
    shifted = offsets - np.searchsorted(dropped, offsets).astype(np.int32)
    return NormalizedTexts(codes[~repeated].tobytes(), shifted.astype(np.int32))
