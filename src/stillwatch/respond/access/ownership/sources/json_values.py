"""A long JSON document read one record at a time, however it is laid out."""

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any, Final, NoReturn

from stillwatch.errors import OwnershipError

_CHUNK: Final = 1 << 20
_MOST_CHARACTERS: Final = 32 << 20
"""A single record larger than this is no record."""

_AFTER_A_NUMBER: Final = frozenset(" \t\r\n,]}")


class JsonValues:
    """Reads values from a stream and keeps only what is not parsed yet.

    Args:
        stream: Bytes in UTF-8.
        name: What errors call it.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._parse = json.JSONDecoder(parse_constant=self._refuse_constant).raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def lines(self) -> Iterator[Any]:
        """Yield the elements of a top-level array, or the values that stand one after the other."""
        if self._peek() == "[":
            yield from self._elements()
        while self._peek():
            yield self._value()

    def wrapped(self) -> Iterator[Any]:
        """Yield the elements of every array that is a member of the top-level object."""
        if self._peek() != "{":
            yield from self.lines()
            return
        self._at += 1
        while self._peek() not in {"}", ""}:
            self._value()
            self._expect(":")
            if self._peek() == "[":
                yield from self._elements()
            else:
                self._value()
            if self._peek() == ",":
                self._at += 1
        self._expect("}")

    def _elements(self) -> Iterator[Any]:
        """Yield the elements of the array that begins here."""
        self._at += 1
        while self._peek() not in {"]", ""}:
            yield self._value()
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != "]":
                self._fail("an array is not closed")
        self._expect("]")

    def _value(self) -> Any:
        """Parse one value, with more text when it is cut off."""
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    self._fail(error.msg)
            except RecursionError:
                self._fail("it is nested too deeply")
            else:
                if self._is_whole(value, end) or not self._more():
                    self._at = end
                    return value

    def _is_whole(self, value: Any, end: int) -> bool:
        """Say whether no further text can belong to a value: a number has no end of its own."""
        return not isinstance(value, int | float) or self._text[end : end + 1] in _AFTER_A_NUMBER

    def _peek(self) -> str:
        """Return the next visible character; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at].isspace():
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _expect(self, character: str) -> None:
        """Step over one character."""
        if self._peek() != character:
            self._fail(f"expected {character!r}")
        self._at += 1

    def _more(self) -> bool:
        """Read on; return whether there was more."""
        if self._ended:
            return False
        if len(self._text) - self._at > _MOST_CHARACTERS:
            self._fail("a record is larger than 32 MiB")
        try:
            chunk = self._stream.read(max(_CHUNK, len(self._text) - self._at))
            fresh = self._decode(chunk, not chunk)
        except UnicodeDecodeError:
            self._fail("it is not UTF-8")
        self._ended = not chunk
        self._text, self._at = self._text[self._at :] + fresh, 0
        return not self._ended

    def _refuse_constant(self, word: str) -> NoReturn:
        """NaN and Infinity are no JSON."""
        self._fail(f"{word} is no number")

    def _fail(self, what: str) -> NoReturn:
        """Say that the file is no JSON of ours."""
        raise OwnershipError(f"{self._name} is no usable JSON: {what}", hint="download the file again")
