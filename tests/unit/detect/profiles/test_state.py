"""A state folder is a function of the set of requests it has seen, whatever came when, and survives a crash."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.detect.profiles.conftest import FIRST_DAY, RULES, changed_copy, make_facts, profiled

from stillwatch.detect.profiles import state as state_module
from stillwatch.detect.profiles.catalog import Catalog
from stillwatch.detect.profiles.definition import DAY_US, TABLES
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.state import State, day_name
from stillwatch.errors import StateError

Rows = list[tuple[object, ...]]


def tables_of(state: State) -> dict[str, Rows]:
    """Return every row of every profile table."""
    out = {}
    for name in TABLES:
        rows = [tuple(row.values()) for path in state.tables(name) for row in pq.read_table(path).to_pylist()]
        out[name] = sorted(rows, key=repr)
    return out


def facts_of(state: State) -> list[str]:
    """Return every row of facts, as text."""
    return sorted(repr(row) for path in state.facts() for row in pq.read_table(path).to_pylist())


def days_of(facts: pa.RecordBatch) -> list[pa.RecordBatch]:
    days = facts.column("time_us").to_numpy() // DAY_US
    return [facts.filter(pa.array(days == day)) for day in np.unique(days)]


@pytest.fixture(scope="session")
def whole(facts: pa.RecordBatch, tmp_path_factory: pytest.TempPathFactory) -> State:
    return profiled(tmp_path_factory.mktemp("whole"), [facts])


def test_every_request_is_there_once(whole: State, facts: pa.RecordBatch) -> None:
    assert len(facts_of(whole)) == facts.num_rows
    assert whole.days() == [FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 2]


def test_one_day_after_the_other_equals_all_at_once(
    whole: State, facts: pa.RecordBatch, tmp_path: Path
) -> None:
    daily = profiled(tmp_path, *[[day] for day in days_of(facts)])
    assert tables_of(daily) == tables_of(whole)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(1, 2_999), min_size=1, max_size=4))
def test_order_overlap_and_repetition_change_nothing(
    seed: int, cuts: list[int], whole: State, facts: pa.RecordBatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shuffled = facts.take(pa.array(np.random.default_rng(seed).permutation(facts.num_rows)))
    edges = [0, *sorted(set(cuts)), facts.num_rows]
    scans = [
        [shuffled.slice(max(0, first - 200), last - max(0, first - 200))] for first, last in pairwise(edges)
    ]
    again = profiled(
        tmp_path_factory.mktemp("again"), *scans, [shuffled.slice(0, 500), shuffled.slice(100, 300)]
    )
    assert facts_of(again) == facts_of(whole)
    assert tables_of(again) == tables_of(whole)


def test_scanning_again_changes_no_day_and_counts_the_duplicates(
    facts: pa.RecordBatch, tmp_path: Path
) -> None:
    profiled(tmp_path, [facts])
    files = sorted(tmp_path.glob("facts/*/*"))
    again = State(tmp_path, rules_digest=RULES)
    again.add(facts)
    assert again.settle() == set()
    assert again.duplicates == facts.num_rows
    assert sorted(tmp_path.glob("facts/*/*")) == files


@pytest.mark.parametrize("later_first", [True, False])
def test_an_id_on_two_days_stays_on_the_earlier(later_first: bool, tmp_path: Path) -> None:  # noqa: FBT001
    early = make_facts(5, days=1)
    late = changed_copy(
        early,
        time_us=[one + DAY_US for one in early.column("time_us").to_pylist()],
        day=[FIRST_DAY + 1] * 5,
        hour=[one + 24 for one in early.column("hour").to_pylist()],
    )
    state = profiled(tmp_path, *([[late], [early]] if later_first else [[early], [late]]))
    assert state.days() == [FIRST_DAY]
    assert facts_of(state) == sorted(repr(row) for row in early.to_pylist())


def test_rows_with_one_id_and_one_time_are_decided_by_the_account(tmp_path: Path) -> None:
    facts = make_facts(2, days=1)
    time = facts.column("time_us").to_pylist()[0]
    twins = changed_copy(facts, request=[7, 7], time_us=[time, time], account_id=["org-b", "org-a"])
    for number, scans in enumerate(
        ([[twins]], [[twins.slice(0, 1)], [twins.slice(1, 1)]], [[twins.slice(1, 1)], [twins.slice(0, 1)]])
    ):
        state = profiled(tmp_path / str(number), *scans)
        [row] = [row for path in state.facts() for row in pq.read_table(path).to_pylist()]
        assert row["account_id"] == "org-a"


def test_ids_are_compared_in_parts_where_there_are_many(
    facts: pa.RecordBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.detect.profiles.duplicates.IDS_AT_ONCE", 700)
    state = profiled(tmp_path, [facts, facts.slice(10, 90)], [facts.slice(2_000, 500)])
    assert len(facts_of(state)) == facts.num_rows


def test_small_batches_make_few_files(
    facts: pa.RecordBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "FLUSH_ROWS", 20)
    monkeypatch.setattr(state_module, "PENDING_ROWS", 100)
    state = profiled(tmp_path, [facts.slice(first, 50) for first in range(0, 3_000, 50)])
    assert len(facts_of(state)) == facts.num_rows
    assert len(state.facts()) <= 3 * state_module.MANY_FILES


@pytest.mark.parametrize(
    "other",
    [{"rules": "rules-2", "state_version": state_module.STATE_VERSION}, {"rules": RULES, "state_version": 0}],
)
def test_facts_made_otherwise_are_not_mixed_in(other: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(other))
    with pytest.raises(StateError, match="other elicitation rules"):
        State(tmp_path, rules_digest=RULES)


@pytest.mark.parametrize("name", ["holiday.jpg", "manifest.json", "facts.json"])
def test_a_foreign_folder_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("not ours")
    with pytest.raises(StateError):
        State(tmp_path, rules_digest=RULES)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_state_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError):
        State(tmp_path / "file", rules_digest=RULES)


class _PowerCutError(Exception):
    """The moment at which everything stops."""


@pytest.mark.parametrize("moment", ["_put_in_place", "commit", "_sweep"])
def test_a_crash_while_settling_leaves_the_old_state_or_the_new_one(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, more = make_facts(300), make_facts(300, seed=2, first_request=200)
    both = facts_of(profiled(tmp_path / "both", [before, more]))
    state = profiled(tmp_path / "crashed", [before])
    old = facts_of(state)

    def stop(*_: object) -> None:
        raise _PowerCutError

    state = State(tmp_path / "crashed", rules_digest=RULES)
    state.add(more)
    with monkeypatch.context() as patch:
        patch.setattr(State if moment == "_put_in_place" else Catalog, moment, stop)
        with pytest.raises(_PowerCutError):
            state.settle()
    opened = State(tmp_path / "crashed", rules_digest=RULES)
    assert facts_of(opened) == (both if moment == "_sweep" else old)
    assert {str(path) for path in (tmp_path / "crashed").glob("facts/*/*")} == set(opened.facts())
    assert not (tmp_path / "crashed" / "staging").exists()


def test_a_crash_between_the_files_of_two_days_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = profiled(tmp_path, [make_facts(300)])
    old = facts_of(state)
    state = State(tmp_path, rules_digest=RULES)
    state.add(make_facts(300, seed=2, first_request=200))
    place = State._put_in_place
    placed: list[int] = []

    def stop_at_the_second(self: State, day: int, files: object) -> None:
        if placed:
            raise _PowerCutError
        placed.append(day)
        place(self, day, files)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(State, "_put_in_place", stop_at_the_second)
        with pytest.raises(_PowerCutError):
            state.settle()
    assert facts_of(State(tmp_path, rules_digest=RULES)) == old


def test_a_crash_before_profiling_is_made_up_for_by_the_next_scan(
    facts: pa.RecordBatch, whole: State, tmp_path: Path
) -> None:
    profiled(tmp_path, [facts.slice(0, 1_000)])
    interrupted = State(tmp_path, rules_digest=RULES)
    interrupted.add(facts.slice(1_000))
    interrupted.settle()  # and no profile
    assert tables_of(profiled(tmp_path, [])) == tables_of(whole)


def test_a_crash_while_a_profile_is_replaced_is_made_up_for(
    facts: pa.RecordBatch, whole: State, tmp_path: Path
) -> None:
    profiled(tmp_path, [facts])
    folder = tmp_path / "profiles" / day_name(FIRST_DAY)
    folder.rename(folder.with_name(f".old-{folder.name}"))
    assert tables_of(profiled(tmp_path, [])) == tables_of(whole)
    assert not list((tmp_path / "profiles").glob(".*"))


def test_only_days_with_new_facts_are_profiled_again(facts: pa.RecordBatch, tmp_path: Path) -> None:
    first, second, third = days_of(facts)
    profiled(tmp_path, [first, second])
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("profiles/*/*")}
    profiled(tmp_path, [third, second.slice(0, 10)])
    for path, moment in written.items():
        assert path.stat().st_mtime_ns == moment


def test_the_commonest_text_of_a_value_is_kept(tmp_path: Path) -> None:
    def names(*rows: tuple[str, int, str, int]) -> pa.Table:
        columns = dict(zip(("kind", "value", "text", "weight"), zip(*rows, strict=True), strict=True))
        return pa.table({name: list(values) for name, values in columns.items()})

    parts = [
        names(("client", 1, "b", 5), ("template", 1, "x", 1)),
        names(("client", 1, "a", 5)),
        names(("client", 1, "z", 2)),
    ]
    found = []
    for number, order in enumerate((parts, parts[::-1])):
        for scans in ([order], [[part] for part in order]):
            root = tmp_path / f"{number}-{len(scans)}"
            for scan in scans:
                state = State(root, rules_digest=RULES)
                for part in scan:
                    state.add_names(part)
                state.write_names()
            found.append(State(root, rules_digest=RULES).names().to_pylist())
    assert (
        found
        == [
            [
                {"kind": "client", "value": 1, "text": "a", "weight": 5},
                {"kind": "template", "value": 1, "text": "x", "weight": 1},
            ]
        ]
        * 4
    )


def test_campaigns_are_remembered(tmp_path: Path) -> None:
    State(tmp_path, rules_digest=RULES).remember_campaigns({"org-a": "c1"}, {})
    assert State(tmp_path, rules_digest=RULES).known_campaigns() == {"org-a": "c1"}


def test_no_facts_make_no_days(tmp_path: Path) -> None:
    state = State(tmp_path, rules_digest=RULES)
    state.add(make_facts(1).slice(0, 0))
    assert state.settle() == set()
    engine = open_engine()
    state.profile([], engine)
    assert state.days() == []
