"""What every kind of link promises, run over the registry: dropping a file in is enough to be held to it."""

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import stillwatch.detect.links as package
from stillwatch.detect.links.membership import LinkKind, Membership
from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.profiles.definition import USED_KINDS
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
HOUR_US = 3_600_000_000
SIZE = 60
VALUE_KINDS = (*USED_KINDS, "conversation")
FAMILIES = {"network", "access", "conversation", "registration", "timing"}
every_kind = pytest.mark.parametrize("kind", link_kinds(), ids=lambda kind: kind.name)


def population(build: Build, seed: int, order: np.ndarray | None = None) -> Population:
    """Draw accounts that share something of every kind, in any order."""
    rng = np.random.default_rng(seed)
    place = np.arange(SIZE) if order is None else np.argsort(order)
    shares = rng.integers(0, 12, (SIZE, len(VALUE_KINDS)))
    values = [
        (int(place[account]), kind, int(shares[account, column]) + 1)
        for account in range(SIZE)
        for column, kind in enumerate(VALUE_KINDS)
    ]
    started = rng.integers(0, 200, SIZE)
    registry = {
        "payment_fingerprint": {int(place[one]): f"card-{one % 20}" for one in range(SIZE)},
        "email_domain": {int(place[one]): f"mail{one}.{'abcdefghi'[one % 9]}.example" for one in range(SIZE)},
        "created_at": {int(place[one]): int(started[one]) * HOUR_US for one in range(SIZE)},
        "closed_at": {int(place[one]): int(started[one] + 5) * HOUR_US for one in range(0, SIZE, 7)},
        "close_reason": {int(place[one]): "suspected_abuse" for one in range(0, SIZE, 7)},
    }
    hours = [(int(place[one]), int(started[one])) for one in range(SIZE)]
    return build(SIZE, values=values, hours=hours, registry=registry)


def found_in(kind: LinkKind, accounts: Population) -> Membership:
    """Find shared values, which must be there."""
    found = kind.find(accounts)
    assert found is not None
    return found


@every_kind
def test_a_kind_of_link_says_what_high_means_and_what_is_innocent(kind: LinkKind) -> None:
    text = inspect.getdoc(type(kind)) or ""
    assert "High: " in text
    assert "Innocent: " in text


@every_kind
def test_a_kind_of_link_states_how_many_accounts_it_may_tie_alone(kind: LinkKind) -> None:
    assert 0 <= kind.alone_max_accounts <= 12
    assert kind.family in FAMILIES
    assert kind.needs


def test_names_are_those_of_their_files_and_unlike() -> None:
    names = [kind.name for kind in link_kinds()]
    files = [type(kind).__module__.rpartition(".")[2] for kind in link_kinds()]
    assert len(set(names)) == len(names)
    assert files == names


@every_kind
def test_shared_values_are_consistent_arrays(kind: LinkKind, make_population: Build) -> None:
    found = found_in(kind, population(make_population, 1))
    assert found.account.shape == found.value.shape
    assert found.holders.shape == found.nats.shape == found.label.shape
    assert np.bincount(found.value, minlength=len(found.holders)).tolist() == found.holders.tolist()
    assert found.holders.min() >= 2
    assert 0 <= found.account.min() <= found.account.max() < SIZE


@every_kind
def test_nats_are_finite_positive_and_bounded_by_the_population(
    kind: LinkKind, make_population: Build
) -> None:
    found = found_in(kind, population(make_population, 2))
    assert np.isfinite(found.nats).all()
    assert found.nats.min() > 0
    assert found.nats.max() <= np.log(SIZE)


@every_kind
def test_beyond_its_limit_a_value_ties_nobody_alone(kind: LinkKind, make_population: Build) -> None:
    found = found_in(kind, population(make_population, 3))
    many = found.holders > kind.alone_max_accounts
    assert (found.nats[many] <= 0.5 * np.log(SIZE) + 1e-12).all()


@every_kind
def test_the_order_of_the_accounts_does_not_matter(kind: LinkKind, make_population: Build) -> None:
    order = np.random.default_rng(5).permutation(SIZE)
    before, after = (found_in(kind, population(make_population, 4, one)) for one in (None, order))
    place = np.argsort(order)

    def groups(found: Membership, where: np.ndarray) -> set[tuple[float, frozenset[int]]]:
        return {
            (
                round(float(found.nats[value]), 9),
                frozenset(where[found.account[found.value == value]].tolist()),
            )
            for value in range(len(found.holders))
        }

    assert groups(after, np.arange(SIZE)) == groups(before, place)


@every_kind
def test_an_empty_log_gives_no_link(kind: LinkKind, make_population: Build) -> None:
    assert kind.find(make_population(5)) is None


NEW_LINK = '''
"""A kind of link that somebody drops in."""
from types import SimpleNamespace

LINK = SimpleNamespace(name="a_new_link")
'''


@pytest.fixture
def dropped_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "a_new_link.py").write_text(NEW_LINK)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    link_kinds.cache_clear()
    yield
    link_kinds.cache_clear()
    sys.modules.pop(f"{package.__name__}.a_new_link", None)


@pytest.mark.usefixtures("dropped_in")
def test_dropping_a_file_in_is_enough() -> None:
    assert "a_new_link" in {kind.name for kind in link_kinds()}
