"""The one definition of profiles, over narwhals, for every engine.

Each function takes the facts of whole days and returns one table. All of them are plain group-by aggregates of
integers, so that they give the same rows on DuckDB, Polars and Spark, and so that tables of different days merge by
concatenation. A request counts in the day of its own time, never in the day it arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import narwhals as nw

from stillwatch.detect.fingerprints.facts import DAY_US, HOUR_US

__all__ = ["DAY_US", "HOUR_US", "KIND_BITS", "TABLES", "VALUE_KINDS", "Facts"]

Facts: TypeAlias = nw.LazyFrame[Any]
"""Rows of facts, or a table computed from them, on any engine."""

KIND_BITS = 12  # room for more kinds of elicitation than are shipped
MIN_REPEATABLE_TOKENS = 5  # "ok" and "continue" repeat for everybody and say nothing

COUNTED_FLAGS = ("single_turn", "tools", "harvest", "saturated", "failed", "limited")
SUMMED_TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "text_tokens")
VALUE_KINDS = ("client", "address", "network", "asn", "system", "conversation")


def _sum(name: str) -> nw.Expr:
    return nw.col(name).sum().cast(nw.Int64)  # engines widen sums, each in its own way


def _flag(name: str) -> nw.Expr:
    return nw.when(nw.col(name)).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _hour() -> nw.Expr:
    return nw.col("hour").cast(nw.Int64)


def _day() -> nw.Expr:
    return nw.col("day").cast(nw.Int64)


def _kind(bit: int) -> nw.Expr:
    low_bits = nw.col("elicitation").cast(nw.Int64) % 2 ** (bit + 1)  # no engine's own bit operations needed
    return nw.when(low_bits >= 2**bit).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _elicited() -> nw.Expr:
    found = nw.when(nw.col("elicitation").cast(nw.Int64) > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    return found.cast(nw.Int64).alias("elicited")


def _one() -> nw.Expr:
    return nw.lit(1).cast(nw.Int64).alias("requests")


def activity(facts: Facts) -> Facts:
    """Sum what each account did in each hour.

    Args:
        facts: Rows of `fingerprints.facts.FACTS`.

    Returns:
        One row per `account_id` and `hour` (hours since 1970): `requests`, counts of flags, sums of tokens,
        `elicited` (requests with any kind) and `kind_0`, `kind_1`, … (requests with that kind).
    """
    columns = [
        nw.col("account_id"),
        _hour().alias("hour"),
        *[_flag(name).alias(name) for name in COUNTED_FLAGS],
        *[nw.col(name).cast(nw.Int64) for name in SUMMED_TOKENS],
        _elicited(),
        _one(),
    ]
    summed = ["requests", *COUNTED_FLAGS, *SUMMED_TOKENS, "elicited"]
    rows = facts.select(*columns).group_by("account_id", "hour").agg(*[_sum(name) for name in summed])
    return rows.join(_kinds(facts), on=["account_id", "hour"], how="left").select(
        "account_id",
        "hour",
        *summed,
        *[nw.col(f"kind_{bit}").fill_null(0).cast(nw.Int64) for bit in range(KIND_BITS)],
    )


def _kinds(facts: Facts) -> Facts:
    """Count the kinds of elicitation, over the few requests that have any."""
    kinds = [_kind(bit).alias(f"kind_{bit}") for bit in range(KIND_BITS)]
    found = facts.filter(nw.col("elicitation").cast(nw.Int64) > 0)
    return (
        found.select("account_id", _hour().alias("hour"), *kinds)
        .group_by("account_id", "hour")
        .agg(*[_sum(f"kind_{bit}") for bit in range(KIND_BITS)])
    )


def values(facts: Facts) -> Facts:
    """Count which clients, addresses, networks, … each account used on each day.

    Returns:
        One row per `account_id`, `day` (days since 1970), `kind` and `value` (int64, never 0): `requests`,
        `first_us`, `last_us`.
    """
    return nw.concat([_values_of(facts, kind) for kind in VALUE_KINDS])


def _values_of(facts: Facts, kind: str) -> Facts:
    """Group one kind by itself: shorter keys are grouped faster than one table of all kinds."""
    present = facts.filter(~nw.col(kind).is_null() & (nw.col(kind) != 0))
    counted = (
        present.select(
            "account_id", _day().alias("day"), nw.col(kind).cast(nw.Int64).alias("value"), "time_us", _one()
        )
        .group_by("account_id", "day", "value")
        .agg(
            _sum("requests"),
            nw.col("time_us").min().alias("first_us"),
            nw.col("time_us").max().alias("last_us"),
        )
    )
    return counted.select(
        "account_id", "day", nw.lit(kind).alias("kind"), "value", "requests", "first_us", "last_us"
    )


def models(facts: Facts) -> Facts:
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
        _one(),
    ]
    sums = [_sum(name) for name in ("requests", "input_tokens", "output_tokens")]
    return facts.select(*columns).group_by("account_id", "day", "model", "surface").agg(*sums)


def contents(facts: Facts) -> Facts:
    """Count each exact prompt of each account and day.

    Returns:
        One row per `account_id`, `day` and `content` (int64): `requests`, `elicited` (1 if any kind matched) and
        `repeatable` (1 if the prompt is long enough for a repetition to mean something).
    """
    repeatable = nw.when(nw.col("text_tokens") >= MIN_REPEATABLE_TOKENS).then(nw.lit(1)).otherwise(nw.lit(0))
    columns = [
        nw.col("account_id"),
        _day().alias("day"),
        nw.col("content"),
        _elicited(),
        repeatable.cast(nw.Int64).alias("repeatable"),
        _one(),
    ]
    return (
        facts.filter(nw.col("content") != 0)
        .select(*columns)
        .group_by("account_id", "day", "content")
        .agg(_sum("requests"), nw.col("elicited").max(), nw.col("repeatable").max())
    )


def templates(facts: Facts) -> Facts:
    """Count which template shingles each account used on each day, and with how many different prompts.

    Returns:
        One row per `account_id`, `day` and `key` (int64): `contents` (different prompts that carried it),
        `requests`, `elicited` (prompts among them that matched a kind) and `example` (the smallest content hash).
    """
    seen = facts.filter(nw.col("content") != 0)
    distinct = (
        seen.select("account_id", _day().alias("day"), "content", "system", "request", _elicited(), _one())
        .group_by("account_id", "day", "content", "system")
        .agg(_sum("requests"), nw.col("elicited").max(), nw.col("request").min())
    )
    # The keys of one request of each prompt, always the same one. Prompts that differ in their line breaks alone are
    # one prompt and may have other keys.
    carried = distinct.join(seen.select("request", "keys"), on="request", how="inner")
    return (
        carried.explode("keys")
        .filter(~nw.col("keys").is_null())
        .with_columns(nw.lit(1).cast(nw.Int64).alias("contents"))
        .group_by("account_id", "day", "keys")
        .agg(
            _sum("contents"),
            _sum("requests"),
            _sum("elicited"),
            nw.col("content").min().alias("example"),
        )
        .select(
            "account_id", "day", nw.col("keys").alias("key"), "contents", "requests", "elicited", "example"
        )
    )


TABLES: dict[str, Callable[[Facts], Facts]] = {
    "activity": activity,
    "values": values,
    "models": models,
    "contents": contents,
    "templates": templates,
}
"""Every table of a profile, by name."""
