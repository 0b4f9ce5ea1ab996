"""A long JSON document is read record by record, wherever the pieces of the stream end."""

import io
import json

import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.errors import OwnershipError
from stillwatch.respond.access.ownership.sources.json_values import JsonValues

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, whatever is asked for."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self._step = step

    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(self._step)


@settings(deadline=None, max_examples=50)
@given(st.lists(OBJECTS, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]))
def test_an_array_comes_back_however_the_stream_is_cut(
    values: list[object], step: int, indent: int | None
) -> None:
    for text in (json.dumps(values, indent=indent), json.dumps(values, ensure_ascii=False)):
        stream = Trickle(text.encode("utf-8", "surrogatepass" if "\\ud" in text else "strict"), step)
        assert list(JsonValues(stream, "file").lines()) == values


@settings(deadline=None, max_examples=50)
@given(st.lists(OBJECTS, max_size=4), st.integers(1, 9))
def test_lines_come_back_however_the_stream_is_cut(values: list[object], step: int) -> None:
    text = "\n".join(json.dumps(value) for value in values)
    assert list(JsonValues(Trickle(text.encode(), step), "file").lines()) == values


@settings(deadline=None, max_examples=50)
@given(OBJECTS, st.lists(OBJECTS, max_size=4), st.integers(1, 9))
def test_the_arrays_in_an_object_come_back(header: object, values: list[object], step: int) -> None:
    text = json.dumps({"header": header, "records": values, "count": len(values)})
    assert list(JsonValues(Trickle(text.encode(), step), "file").wrapped()) == values


@pytest.mark.parametrize("text", ["[1 2]", "[1,", '{"a": [1, 2}', "[tru]", '["\\x"]'])
def test_what_is_no_json_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(OwnershipError, match="no usable JSON"):
        list(JsonValues(io.BytesIO(text.encode()), "file").wrapped())


def test_a_record_without_end_is_refused_before_it_fills_the_memory() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            return b'["' if self._first() else b"a" * size

        def _first(self) -> bool:
            self.calls = getattr(self, "calls", 0) + 1
            return self.calls == 1

    with pytest.raises(OwnershipError, match="larger than 32 MiB"):
        list(JsonValues(Endless(), "file").lines())  # type: ignore[arg-type]


@pytest.mark.parametrize("step", range(1, 9))
def test_a_number_is_not_cut_where_the_stream_is(step: int) -> None:
    assert list(JsonValues(Trickle(b"[123456, -1.5e10, 7]", step), "file").lines()) == [123456, -1.5e10, 7]
