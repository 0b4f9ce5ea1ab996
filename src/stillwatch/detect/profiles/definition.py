"""The one definition of profiles, over narwhals, for every engine.

Each function takes the facts of whole days and returns one table. All of them are plain group-by aggregates of
integers, so that they give the same rows on DuckDB, Polars and Spark, and so that tables of different days merge by
concatenation. A request counts in the day of its own time, never in the day it arrived.
"""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
KIND_BITS = 12  # room for more kinds of elicitation than are shipped
MIN_REPEATABLE_TOKENS = 5  # "ok" and "continue" repeat for everybody and say nothing

COUNTED_FLAGS = ("single_turn", "tools", "harvest", "saturated", "failed", "limited")
SUMMED_TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "text_tokens")
VALUE_KINDS = ("client", "address", "network", "asn", "system", "sampling", "conversation")


def _sum(name: str) -> nw.Expr:
    return nw.col(name).sum().cast(nw.Int64)  # engines widen sums, each in its own way


def _flag(name: str) -> nw.Expr:
    return nw.when(nw.col(name)).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _hour() -> nw.Expr:
    return ((nw.col("time_us") - nw.col("time_us") % HOUR_US) / HOUR_US).cast(nw.Int64)


def _day() -> nw.Expr:
    return ((nw.col("time_us") - nw.col("time_us") % DAY_US) / DAY_US).cast(nw.Int64)


def _kind(bit: int) -> nw.Expr:
    mask = nw.col("elicitation").cast(nw.Int64)
    above = mask - mask % 2**bit
    return (above % 2 ** (bit + 1) / 2**bit).cast(nw.Int64)


def activity(facts: nw.LazyFrame) -> nw.LazyFrame:
    """Sum what each account did in each hour.

    Args:
        facts: Rows of `fingerprints.facts.FACTS`.

    Returns:
        One row per `account_id` and `hour` (hours since 1970): `requests`, counts of flags, sums of tokens,
        `elicited` (requests with any kind) and `kind_0`, `kind_1`, … (requests with that kind).
    """
    elicited = nw.when(nw.col("elicitation").cast(nw.Int64) > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    columns = [
        nw.col("account_id"),
        _hour().alias("hour"),
        *[_flag(name).alias(name) for name in COUNTED_FLAGS],
        *[nw.col(name).cast(nw.Int64) for name in SUMMED_TOKENS],
        elicited.cast(nw.Int64).alias("elicited"),
        *[_kind(bit).alias(f"kind_{bit}") for bit in range(KIND_BITS)],
        nw.lit(1).cast(nw.Int64).alias("requests"),
    ]
    summed = ["requests", *COUNTED_FLAGS, *SUMMED_TOKENS, "elicited", *[f"kind_{bit}" for bit in range(KIND_BITS)]]
    return facts.select(*columns).group_by("account_id", "hour").agg(*[_sum(name) for name in summed])


def values(facts: nw.LazyFrame) -> nw.LazyFrame:
    """Count which clients, addresses, networks, … each account used on each day.

    Returns:
        One row per `account_id`, `day` (days since 1970), `kind` and `value` (int64, never 0): `requests`,
        `first_us`, `last_us`.
    """
    parts = [
        facts.select(
            "account_id",
            _day().alias("day"),
            nw.lit(kind).alias("kind"),
            nw.col(kind).cast(nw.Int64).alias("value"),
            "time_us",
        ).filter(~nw.col("value").is_null() & (nw.col("value") != 0))
        for kind in VALUE_KINDS
    ]
    keys = ("account_id", "day", "kind", "value")
    return (
        nw.concat(parts)
        .with_columns(nw.lit(1).cast(nw.Int64).alias("one"))
        .group_by(*keys)
        .agg(
            _sum("one").alias("requests"),
            nw.col("time_us").min().alias("first_us"),
            nw.col("time_us").max().alias("last_us"),
        )
    )


def models(facts: nw.LazyFrame) -> nw.LazyFrame:
    """Sum requests and tokens of each account by day, model and surface.

    Returns:
        One row per `account_id`, `day`, `model` and `surface` ("" where the log does not say): `requests`,
        `input_tokens`, `output_tokens`.
    """
    columns = [
        nw.col("account_id"),
        _day().alias("day"),
        nw.col("model").fill_null(""),
        nw.col("surface").fill_null(""),
        nw.col("input_tokens").cast(nw.Int64),
        nw.col("output_tokens").cast(nw.Int64),
        nw.lit(1).cast(nw.Int64).alias("requests"),
    ]
    sums = [_sum(name) for name in ("requests", "input_tokens", "output_tokens")]
    return facts.select(*columns).group_by("account_id", "day", "model", "surface").agg(*sums)


def contents(facts: nw.LazyFrame) -> nw.LazyFrame:
    """Count each exact prompt of each account and day.

    Returns:
        One row per `account_id`, `day` and `content` (int64): `requests`, `elicited` (1 if any kind matched) and
        `repeatable` (1 if the prompt is long enough for a repetition to mean something).
    """
    elicited = nw.when(nw.col("elicitation").cast(nw.Int64) > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    repeatable = nw.when(nw.col("text_tokens") >= MIN_REPEATABLE_TOKENS).then(nw.lit(1)).otherwise(nw.lit(0))
    columns = [
        nw.col("account_id"),
        _day().alias("day"),
        nw.col("content"),
        elicited.cast(nw.Int64).alias("elicited"),
        repeatable.cast(nw.Int64).alias("repeatable"),
        nw.lit(1).cast(nw.Int64).alias("requests"),
    ]
    return (
        facts.filter(nw.col("content") != 0)
        .select(*columns)
        .group_by("account_id", "day", "content")
        .agg(_sum("requests"), nw.col("elicited").max(), nw.col("repeatable").max())
    )


def templates(facts: nw.LazyFrame) -> nw.LazyFrame:
    """Count which template shingles each account used on each day, and with how many different prompts.

    Returns:
        One row per `account_id`, `day` and `key` (int64): `contents` (different prompts that carried it),
        `requests`, `elicited` (prompts among them that matched a kind) and `example` (the smallest content hash).
    """
    elicited = nw.when(nw.col("elicitation").cast(nw.Int64) > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    distinct = (
        facts.filter(nw.col("content") != 0)
        .select(
            "account_id",
            _day().alias("day"),
            "content",
            "system",
            "keys",
            elicited.cast(nw.Int64).alias("elicited"),
            nw.lit(1).cast(nw.Int64).alias("requests"),
        )
        .group_by("account_id", "day", "content", "system")
        .agg(_sum("requests"), nw.col("elicited").max(), nw.col("keys").any_value())
    )
    return (
        distinct.explode("keys")
        .filter(~nw.col("keys").is_null())
        .with_columns(nw.lit(1).cast(nw.Int64).alias("contents"))
        .group_by("account_id", "day", "keys")
        .agg(
            _sum("contents"),
            _sum("requests"),
            _sum("elicited"),
            nw.col("content").min().alias("example"),
        )
        .select("account_id", "day", nw.col("keys").alias("key"), "contents", "requests", "elicited", "example")
    )


TABLES: dict[str, Callable[[nw.LazyFrame], nw.LazyFrame]] = {
    "activity": activity,
    "values": values,
    "models": models,
    "contents": contents,
    "templates": templates,
}
"""Every table of a profile, by name."""
