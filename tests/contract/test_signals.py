"""What every signal promises, run over the registry: dropping a file in is enough to be held to it."""

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import stillwatch.detect.signals as package
from stillwatch.detect.profiles.definition import KIND_BITS
from stillwatch.detect.signals.groups import Groups
from stillwatch.detect.signals.measures import AccountMeasures
from stillwatch.detect.signals.registry import Signal, available, signals

KIND_NATS = np.full(KIND_BITS, 4.0)
every_signal = pytest.mark.parametrize("signal", signals(), ids=lambda signal: signal.name)


def measures(columns: Mapping[str, Sequence[object]]) -> AccountMeasures:
    """Turn written-down measures into arrays."""
    arrays = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    return AccountMeasures(arrays, KIND_NATS)


def one_group(columns: Mapping[str, Sequence[object]]) -> Groups:
    """Pool all accounts into one group."""
    found = measures(columns)
    return Groups([np.arange(len(found))], found)


def random_columns(signal: Signal, rng: np.random.Generator, accounts: int) -> dict[str, NDArray[np.float64]]:
    """Draw measures of the shapes that a signal reads, parts never larger than wholes."""
    example = measures(signal.get_examples().much)
    whole = rng.integers(10, 200, accounts).astype(np.float64)
    out = {}
    for name, column in example.columns.items():
        share = rng.random((accounts, *column.shape[1:]))
        out[name] = np.floor(share * (whole[:, None] if column.ndim > 1 else whole))
    for name in ("requests", "prompts", "different_prompts", "release_requests"):
        if name in out:
            out[name] = whole
    return out | ({"accounts": np.ones(accounts)} if "accounts" in out else {})


@every_signal
def test_a_signal_is_named_as_its_file(signal: Signal) -> None:
    assert type(signal).__module__.rpartition(".")[2] == signal.name


@every_signal
def test_a_signal_says_what_high_means_and_when_it_fails(signal: Signal) -> None:
    text = inspect.getdoc(type(signal)) or ""
    assert "High: " in text
    assert "Range: " in text
    assert any(word in text for word in ("Innocent: ", "Fails ")), (
        "neither what is innocent nor when it fails"
    )


@every_signal
def test_a_signal_speaks_for_one_label(signal: Signal) -> None:
    assert signal.speaks_for in {"distillation", "resale"}
    assert signal.title == signal.title[0].lower() + signal.title[1:]
    assert signal.min_accounts >= 1


@every_signal
def test_a_signal_is_higher_with_more_of_what_it_is_named_for(signal: Signal) -> None:
    example = signal.get_examples()
    little, much = (signal.measure(one_group(columns)) for columns in (example.little, example.much))
    assert little.shape == much.shape == (1,)
    assert much[0] > little[0]


@every_signal
def test_the_examples_hold_what_the_signal_needs_and_nothing_else(signal: Signal) -> None:
    example = signal.get_examples()
    assert set(example.little) == set(example.much) == set(signal.needs)
    assert len(next(iter(example.much.values()))) >= signal.min_accounts


@every_signal
def test_a_signal_gives_one_finite_value_for_each_group(signal: Signal) -> None:
    rng = np.random.default_rng(11)
    found = AccountMeasures(random_columns(signal, rng, 60), KIND_NATS)
    groups = Groups([np.arange(20), np.arange(20, 59), np.array([59])], found)
    values = signal.measure(groups)
    assert values.shape == (3,)
    assert np.isfinite(values).all()


@every_signal
def test_a_group_that_did_nothing_is_no_error(signal: Signal) -> None:
    example = measures(signal.get_examples().much)
    idle = AccountMeasures(
        {name: np.zeros_like(column) for name, column in example.columns.items()}, KIND_NATS
    )
    assert np.isfinite(signal.measure(Groups([np.arange(len(idle))], idle))).all()


@every_signal
def test_the_order_of_the_accounts_does_not_matter(signal: Signal) -> None:
    rng = np.random.default_rng(12)
    columns = random_columns(signal, rng, 30)
    order = rng.permutation(30)
    shuffled = {name: column[order] for name, column in columns.items()}
    before = signal.measure(Groups([np.arange(30)], AccountMeasures(columns, KIND_NATS)))
    after = signal.measure(Groups([np.arange(30)], AccountMeasures(shuffled, KIND_NATS)))
    assert after == pytest.approx(before)


@every_signal
def test_a_group_is_judged_alike_whoever_else_is_there(signal: Signal) -> None:
    found = AccountMeasures(random_columns(signal, np.random.default_rng(13), 40), KIND_NATS)
    alone = signal.measure(Groups([np.arange(10)], found))[0]
    among = signal.measure(Groups([np.arange(10, 40), np.arange(10)], found))[1]
    assert among == pytest.approx(alone)


@every_signal
def test_a_signal_says_what_was_seen_in_one_line_with_figures(signal: Signal) -> None:
    said = signal.say(one_group(signal.get_examples().much), 0)
    assert "\n" not in said
    assert any(letter.isdigit() for letter in said)
    assert not said.endswith(".")


@every_signal
def test_a_signal_is_silent_without_its_measures(signal: Signal) -> None:
    everything = {name for one in signals() for name in one.needs}
    for name in signal.needs:
        columns = {other: np.ones(3) for other in everything - {name}}
        silent = Groups([np.arange(3)], AccountMeasures(columns, KIND_NATS))
        assert signal not in available(silent)


NEW_SIGNAL = '''
"""A signal that somebody drops in."""
from types import SimpleNamespace

SIGNAL = SimpleNamespace(name="a_new_signal")
'''


@pytest.fixture
def dropped_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "a_new_signal.py").write_text(NEW_SIGNAL)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    signals.cache_clear()
    yield
    signals.cache_clear()
    sys.modules.pop(f"{package.__name__}.a_new_signal", None)


@pytest.mark.usefixtures("dropped_in")
def test_dropping_a_file_in_is_enough() -> None:
    assert "a_new_signal" in {signal.name for signal in signals()}
