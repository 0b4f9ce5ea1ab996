"""Tokens are shown once, kept as hashes, and stop working when they should."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillwatch.errors import TokenError, UsageError
from stillwatch.respond.node import tokens
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.web.interface import Scope

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> TokenBook:
    monkeypatch.setattr(tokens, "_FRESH_S", 0.0)
    return TokenBook(tmp_path / "node", clock)


def test_a_token_is_known_by_its_text(book: TokenBook) -> None:
    made, text = book.add("gateway", [Scope.INGEST])
    assert book.verified(text) == made
    assert made.name == "gateway"


def test_the_file_holds_no_secret_and_is_for_its_owner_only(book: TokenBook, tmp_path: Path) -> None:
    _, text = book.add("gateway", [Scope.INGEST])
    path = tmp_path / "node" / "tokens.json"
    assert text.rsplit("_", 1)[1] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(json.loads(path.read_text())[0]["digest"]) == 64


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"),
        lambda t: t[:-1],
        lambda t: t + "x",
        lambda _: "",
        lambda t: t.upper(),
        lambda t: "swt_" + "0" * 12 + t[16:],
    ],
)
def test_anything_but_the_text_is_refused_alike(book: TokenBook, spoil: object) -> None:
    _, text = book.add("gateway", [Scope.INGEST])
    with pytest.raises(TokenError, match="the token is not valid") as caught:
        book.verified(spoil(text))  # type: ignore[operator]
    assert caught.value.status == 401


def test_a_revoked_token_stops_working_in_other_processes_too(
    book: TokenBook, tmp_path: Path, clock: Clock
) -> None:
    made, text = book.add("gateway", [Scope.INGEST])
    other = TokenBook(tmp_path / "node", clock)
    assert other.verified(text) == made
    book.revoke(made.token_id)
    with pytest.raises(TokenError):
        other.verified(text)
    assert [one.revoked_at for one in other.tokens()] == [NOW]


def test_revoking_twice_keeps_the_first_time(book: TokenBook, clock: Clock) -> None:
    made, _ = book.add("gateway", [Scope.INGEST])
    book.revoke(made.token_id)
    clock.now += timedelta(days=1)
    assert book.revoke(made.token_id).revoked_at == NOW


def test_an_expired_token_stops_working(book: TokenBook, clock: Clock) -> None:
    _, text = book.add("gateway", [Scope.INGEST], expires_at=NOW + timedelta(days=1))
    book.verified(text)
    clock.now += timedelta(days=1)
    with pytest.raises(TokenError):
        book.verified(text)


def test_two_makers_do_not_overwrite_each_other(book: TokenBook, tmp_path: Path, clock: Clock) -> None:
    other = TokenBook(tmp_path / "node", clock)
    texts = [maker.add(f"t{n}", [Scope.DECIDE])[1] for n, maker in enumerate([book, other, book, other])]
    assert [book.verified(text).name for text in texts] == ["t0", "t1", "t2", "t3"]


def test_admin_may_everything_and_the_others_their_own() -> None:
    def token(*scopes: Scope) -> tokens.Token:
        return tokens.Token("id", "n", "d", scopes, 1.0, NOW)

    assert all(token(Scope.ADMIN).allows(scope) for scope in Scope)
    assert [scope for scope in Scope if token(Scope.DECIDE).allows(scope)] == [Scope.DECIDE]


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_is_above_zero(book: TokenBook, rate: float) -> None:
    with pytest.raises(UsageError):
        book.add("x", [Scope.INGEST], rate_per_s=rate)


def test_a_token_without_a_scope_is_not_made(book: TokenBook) -> None:
    with pytest.raises(UsageError, match="needs a scope"):
        book.add("x", [])


def test_an_unknown_id_cannot_be_revoked(book: TokenBook) -> None:
    with pytest.raises(UsageError, match="no token has the id"):
        book.revoke("0" * 12)


def test_a_damaged_file_lets_nobody_in(book: TokenBook, tmp_path: Path) -> None:
    _, text = book.add("gateway", [Scope.INGEST])
    (tmp_path / "node" / "tokens.json").write_text("[{]")
    with pytest.raises(TokenError) as caught:
        book.verified(text)
    assert caught.value.status == 503
