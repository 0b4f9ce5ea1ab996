"""The distributed engine that the contract tests run on."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]


def test_the_session_aggregates_on_two_local_threads(spark_session: "SparkSession") -> None:
    counts = spark_session.range(1000).selectExpr("id % 3 AS third").groupBy("third").count().toArrow()
    assert sorted(counts.column("count").to_pylist()) == [333, 333, 334]
    assert spark_session.sparkContext.defaultParallelism == 2


def test_the_session_counts_time_in_universal_time(spark_session: "SparkSession") -> None:
    assert spark_session.conf.get("spark.sql.session.timeZone") == "UTC"
