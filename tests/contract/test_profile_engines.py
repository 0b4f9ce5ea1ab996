"""Every engine gives the same rows for every table of a profile."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.detect.profiles.conftest import FIRST_DAY, make_facts

from stillwatch.detect.profiles.definition import DAY_US, TABLES
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


def test_every_column_is_a_whole_number_or_a_text(files: list[Path], tmp_path: Path) -> None:
    for url in EMBEDDED:
        open_engine(url).profile([(files, tmp_path)])
        for name in TABLES:
            for field in pq.read_schema(tmp_path / f"{name}.parquet"):
                text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
                assert text or field.type in {pa.int64(), pa.binary(), pa.large_binary()}, (url, name, field)


def test_the_tables_say_what_the_facts_say(files: list[Path], tmp_path: Path) -> None:
    open_engine().profile([(files, tmp_path)])
    facts = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    hours = pq.read_table(tmp_path / "activity.parquet").to_pylist()
    assert sum(row["requests"] for row in hours) == len(facts)
    assert sum(row["output_tokens"] for row in hours) == sum(fact["output_tokens"] for fact in facts)
    assert sum(row["single_turn"] for row in hours) == sum(bool(fact["single_turn"]) for fact in facts)
    for bit in range(12):
        assert sum(row[f"kind_{bit}"] for row in hours) == sum(
            fact["elicitation"] >> bit & 1 for fact in facts
        )
    contents = pq.read_table(tmp_path / "contents.parquet").to_pylist()
    prompts = {
        (fact["account_id"], fact["time_us"] // DAY_US, fact["content"]) for fact in facts if fact["content"]
    }
    assert {(row["account_id"], row["day"], row["content"]) for row in contents} == prompts
    assert len(contents) == len(prompts)
    assert {row["day"] for row in contents} == {FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 2}


def test_a_prompt_sent_again_is_one_content_of_its_template(files: list[Path], tmp_path: Path) -> None:
    open_engine().profile([(files, tmp_path)])
    facts = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    found = {
        (row["account_id"], row["day"], row["key"]): (row["contents"], row["requests"])
        for row in pq.read_table(tmp_path / "templates.parquet").to_pylist()
    }
    wanted: dict[tuple[str, int, int], tuple[set[tuple[int, int]], int]] = {}
    for fact in facts:
        for key in fact["keys"] if fact["content"] else ():
            place = (fact["account_id"], fact["time_us"] // DAY_US, key)
            prompts, requests = wanted.get(place, (set(), 0))
            wanted[place] = (prompts | {(fact["content"], fact["system"])}, requests + 1)
    assert found == {place: (len(prompts), requests) for place, (prompts, requests) in wanted.items()}


def test_the_keys_of_a_prompt_do_not_depend_on_the_order_of_the_facts(tmp_path: Path) -> None:
    facts = pa.table(make_facts(400))
    keys = [[index % 7, 9] for index in range(400)]  # one prompt, many line breaks
    facts = facts.set_column(
        facts.schema.get_field_index("keys"), facts.schema.field("keys"), pa.array(keys, pa.list_(pa.int64()))
    )
    tables = []
    for number, order in enumerate((range(400), reversed(range(400)))):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / f"{number}.parquet"
        pq.write_table(facts.take(pa.array(list(order))), path)
        tables.append(_rows(open_engine(), [path], tmp_path / str(number))["templates"])
    assert tables[0] == tables[1]


def test_an_unknown_engine_is_named_with_those_that_exist() -> None:
    with pytest.raises(EngineError, match="dbase") as refused:
        open_engine("dbase://")
    assert "duckdb://" in refused.value.hint
