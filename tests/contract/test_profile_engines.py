"""Every engine gives the same rows for every table of a profile."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.detect.profiles.conftest import FIRST_DAY, make_facts

from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.profiles.definition import DAY_US, TABLES, USED_KINDS
from stillwatch.detect.profiles.engine import Engine, open_engine
from stillwatch.errors import EngineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Rows = dict[str, list[tuple[object, ...]]]
EMBEDDED = ["duckdb://", "polars://"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write facts of three days, with request ids in no order, to three files."""
    folder = tmp_path_factory.mktemp("facts")
    paths = [folder / f"{number}.parquet" for number in range(3)]
    for number, path in enumerate(paths):
        facts = make_facts(1_500, seed=number, first_request=number * 1_500 + 1)
        pq.write_table(pa.table(facts), path)
    return paths


@pytest.fixture(scope="module")
def expected(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return _rows(open_engine("duckdb://", threads=1), files, tmp_path_factory.mktemp("expected"))


@pytest.fixture
def spark(spark_session: "SparkSession") -> Iterator[Engine]:
    """Use the session of the tests; the engine must not stop what it did not start."""
    engine = open_engine("spark+local://")
    yield engine
    engine.close()
    assert spark_session.range(1).count() == 1


def _rows(engine: Engine, files: list[Path], out: Path) -> Rows:
    engine.profile([(files, out)])
    tables = {name: pq.read_table(out / f"{name}.parquet") for name in TABLES}
    return {
        name: sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)
        for name, table in tables.items()
    }


@pytest.mark.parametrize("url", EMBEDDED)
def test_an_embedded_engine_gives_the_same_rows(
    url: str, files: list[Path], expected: Rows, tmp_path: Path
) -> None:
    engine = open_engine(url, threads=2)
    found = _rows(engine, files, tmp_path)
    engine.close()
    for name in TABLES:
        assert found[name] == expected[name], name


@pytest.mark.spark
@pytest.mark.xdist_group("spark")
def test_spark_gives_the_same_rows(spark: Engine, files: list[Path], expected: Rows, tmp_path: Path) -> None:
    found = _rows(spark, files, tmp_path)
    for name in TABLES:
        assert found[name] == expected[name], name


def test_every_column_is_whole_numbers_or_a_text(files: list[Path], tmp_path: Path) -> None:
    for url in EMBEDDED:
        open_engine(url).profile([(files, tmp_path)])
        for name in TABLES:
            for field in pq.read_schema(tmp_path / f"{name}.parquet"):
                text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
                lists = pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
                keys = lists and field.type.value_type == pa.int64()
                assert text or keys or field.type == pa.int64(), (url, name, field)


def test_the_tables_say_what_the_facts_say(files: list[Path], tmp_path: Path) -> None:
    open_engine().profile([(files, tmp_path)])
    facts = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    hours = pq.read_table(tmp_path / "activity.parquet").to_pylist()
    assert sum(row["requests"] for row in hours) == len(facts)
    assert sum(row["output_tokens"] for row in hours) == sum(fact["output_tokens"] for fact in facts)
    assert sum(row["single_turn"] for row in hours) == sum(bool(fact["single_turn"]) for fact in facts)
    kinds = pq.read_table(tmp_path / "kinds.parquet").to_pylist()
    for bit in range(12):
        assert sum(row[f"kind_{bit}"] for row in kinds) == sum(
            fact["elicitation"] >> bit & 1 for fact in facts
        )
    prompts = pq.read_table(tmp_path / "prompts.parquet").to_pylist()
    wanted = Counter(
        (fact["account"], fact["time_us"] // DAY_US, fact["content"], fact["system"])
        for fact in facts
        if fact["content"]
    )
    assert {
        (row["account"], row["day"], row["content"], row["system"]): row["requests"] for row in prompts
    } == wanted
    assert len(prompts) == len(wanted)
    assert {row["day"] for row in prompts} == {FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 2}


def test_every_account_is_named_by_its_hash(files: list[Path], tmp_path: Path) -> None:
    open_engine().profile([(files, tmp_path)])
    facts = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    named = pq.read_table(tmp_path / "accounts.parquet").to_pylist()
    assert {row["account"]: row["account_id"] for row in named} == {
        fact["account"]: fact["account_id"] for fact in facts
    }


@pytest.mark.parametrize("kind", [*USED_KINDS, "conversation"])
def test_what_accounts_use_is_counted_with_its_first_and_last_time(
    kind: str, files: list[Path], tmp_path: Path
) -> None:
    open_engine().profile([(files, tmp_path)])
    facts = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    table = "conversations" if kind == "conversation" else "usage"
    found: dict[tuple[int, int, int], list[int]] = {}
    for row in pq.read_table(tmp_path / f"{table}.parquet").to_pylist():
        if row[kind]:
            place = found.setdefault(
                (row["account"], row["day"], row[kind]), [0, row["first_us"], row["last_us"]]
            )
            place[0] += row["requests"]
            place[1:] = [min(place[1], row["first_us"]), max(place[2], row["last_us"])]
    wanted: dict[tuple[int, int, int], list[int]] = {}
    for fact in facts:
        time_us = fact["time_us"]
        if fact[kind]:
            place = wanted.setdefault((fact["account"], time_us // DAY_US, fact[kind]), [0, time_us, time_us])
            place[0] += 1
            place[1:] = [min(place[1], time_us), max(place[2], time_us)]
    assert found == wanted


def test_the_keys_of_a_prompt_do_not_depend_on_the_order_of_the_facts(tmp_path: Path) -> None:
    facts = pa.table(make_facts(400))
    keys = [[index % 7, 9] for index in range(400)]  # one prompt, many line breaks
    facts = facts.set_column(
        facts.schema.get_field_index("keys"),
        facts.schema.field("keys"),
        pa.array(keys, FACTS.field("keys").type),
    )
    tables = []
    for number, order in enumerate((range(400), reversed(range(400)))):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / f"{number}.parquet"
        pq.write_table(facts.take(pa.array(list(order))), path)
        tables.append(_rows(open_engine(), [path], tmp_path / str(number))["prompts"])
    assert tables[0] == tables[1]


def test_an_unknown_engine_is_named_with_those_that_exist() -> None:
    with pytest.raises(EngineError, match="dbase") as refused:
        open_engine("dbase://")
    assert "duckdb://" in refused.value.hint
