"""A store, a clock and findings for tests of decisions."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillwatch.domain.decisions import Decision
from stillwatch.domain.findings import Finding
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.store import Store, open_store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def us(self) -> int:
        return int(self.now.timestamp() * 1_000_000)

    def pass_by(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "node.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{database}") as opened:
        yield opened


@pytest.fixture
def trail(store: Store, clock: Clock) -> AuditTrail:
    return AuditTrail(store, clock)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return make_finding


@pytest.fixture
def decision() -> Callable[..., Decision]:
    return make_decision


def make_finding(**changes: object) -> Finding:
    fields: dict[str, object] = {
        "finding_id": "finding-1",
        "campaign_id": "campaign-1",
        "label": "distillation",
        "title": "212 accounts, one operator",
        "severity": "high",
        "confidence": "high",
        "p_value": 0.0001,
        "q_value": 0.0004,
        "accounts": ("a", "b", "c"),
        "exchanges": 900,
        "input_tokens": 1,
        "output_tokens": 1,
        "first_seen": START - timedelta(days=3),
        "last_seen": START,
    }
    return Finding.model_validate({**fields, **changes})


def make_decision(**changes: object) -> Decision:
    fields: dict[str, object] = {
        "decision_id": "decision--1",
        "accounts": ("a", "b"),
        "action": "verify",
        "label": "distillation",
        "reason": "one operator, templated prompts",
        "evidence": ("finding-1",),
        "author": "person:alice",
        "decided_at": START,
        "starts_at": START,
        "ends_at": START + timedelta(days=7),
    }
    return Decision.model_validate({**fields, **changes})
