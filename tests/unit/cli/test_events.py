"""Log events carry facts, never text of customers or credentials."""

import json
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given, strategies as st

from stillwatch.cli import events
from stillwatch.cli.events import SensitiveEventError, refuse_sensitive
from stillwatch.domain import sensitive


@pytest.fixture
def log() -> Iterator[structlog.typing.FilteringBoundLogger]:
    events.configure(quiet=False)
    yield structlog.get_logger()
    structlog.reset_defaults()


def test_an_event_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    events.configure(quiet=False)
    structlog.get_logger().info("read file", rows=3)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "rows=3" in said.err
    structlog.reset_defaults()


def test_quiet_keeps_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    events.configure(quiet=True)
    structlog.get_logger().info("read file")
    structlog.get_logger().warning("no addresses")
    said = capsys.readouterr().err
    assert "read file" not in said
    assert "no addresses" in said
    structlog.reset_defaults()


@pytest.mark.parametrize("name", sorted(sensitive.FORBIDDEN_NAMES))
def test_a_field_of_raw_text_raises(name: str, log: structlog.typing.FilteringBoundLogger) -> None:
    with pytest.raises(SensitiveEventError, match=name):
        log.info("request", **{name: "x"})


def test_raw_text_deep_inside_an_event_raises(log: structlog.typing.FilteringBoundLogger) -> None:
    with pytest.raises(SensitiveEventError, match=r"row\.input\.prompt"):
        log.info("request", row={"input": [{"prompt": "x"}]})


@pytest.mark.parametrize(
    "value",
    [
        "sk-" + "a1b2" * 6,
        "AKIA" + "A1B2C3D4" * 2,
        "Authorization: Bearer abcdefgh12345678",
        "-----BEGIN RSA PRIVATE KEY-----",
        "ghp_" + "a1b2" * 9,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhYmMifQ.sig",
    ],
)
def test_a_value_that_looks_like_a_credential_raises_and_is_not_repeated(
    value: str, log: structlog.typing.FilteringBoundLogger
) -> None:
    with pytest.raises(SensitiveEventError) as caught:
        log.info("connected", note=[value])
    assert value not in str(caught.value)


def test_a_credential_in_the_message_itself_raises(log: structlog.typing.FilteringBoundLogger) -> None:
    message = f"using key sk-{'a1b2' * 6}"
    with pytest.raises(SensitiveEventError):
        log.info(message)


def test_long_text_and_bytes_raise_under_any_name(log: structlog.typing.FilteringBoundLogger) -> None:
    with pytest.raises(SensitiveEventError, match="note"):
        log.info("read", note="a" * (sensitive.MAX_TEXT + 1))
    with pytest.raises(SensitiveEventError, match="note"):
        log.info("read", note=b"abc")


@given(
    st.dictionaries(
        st.sampled_from(["rows", "file", "took_s", "output_tokens", "api_key_id", "accounts"]),
        st.one_of(st.integers(), st.floats(allow_nan=False), st.text(alphabet="abc /.", max_size=40)),
    )
)
def test_facts_pass_unchanged(facts: dict[str, object]) -> None:
    before = json.dumps(facts)
    assert refuse_sensitive(None, "info", dict(facts)) == facts
    assert json.dumps(facts) == before
