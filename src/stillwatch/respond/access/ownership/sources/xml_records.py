"""A long XML document read one record at a time, without document types and without their entities."""

from collections.abc import Iterator
from typing import IO, Any, Final
from xml.parsers import expat

from stillwatch.errors import OwnershipError

_CHUNK: Final = 1 << 20
_MOST_DEPTH: Final = 64


class _Collector:
    """Builds nested dicts for each element of one name; a repeated child becomes a list."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self.records: list[dict[str, Any]] = []

    def start(self, name: str, _attributes: Any) -> None:
        tag = name.rpartition(":")[2]
        if self._open or tag == self._tag:
            if len(self._open) > _MOST_DEPTH:
                raise OwnershipError("the XML is nested too deeply")
            self._open.append((tag, {}, []))

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def end(self, _name: str) -> None:
        if not self._open:
            return
        tag, children, text = self._open.pop()
        if not self._open:
            self.records.append(children)
            return
        value: Any = children or "".join(text).strip()
        into = self._open[-1][1]
        known = into.get(tag)
        into[tag] = value if known is None else [*known, value] if isinstance(known, list) else [known, value]


def xml_records(stream: IO[bytes], tag: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield every element of one name as nested dicts of local names.

    Args:
        stream: The document.
        tag: Local name of the elements.
        name: What errors call the file.

    Raises:
        OwnershipError: The document is malformed or declares a document type.
    """
    collector = _Collector(tag)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.CharacterDataHandler = collector.text
    parser.EndElementHandler = collector.end
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            yield from collector.records
            collector.records.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise OwnershipError(f"{name} is no usable XML: {error}", hint="download the file again") from error
    yield from collector.records


def _refuse_document_type(*_: Any) -> None:
    """A document type can make a small file enormous, and no published register has one."""
    raise OwnershipError("the XML declares a document type, which no published register does")
