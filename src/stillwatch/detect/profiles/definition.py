"""The one definition of profiles, over narwhals, for every engine.

Each function takes the facts of whole days and returns one table. All of them are plain group-by aggregates of
integers, so that they give the same rows on DuckDB, Polars and Spark, and so that tables of different days merge by
concatenation. Accounts are grouped by the hash of their id, which takes half the time of the id itself; `accounts`
names them. A request counts in the day of its own time, never in the day it arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import narwhals as nw

from stillwatch.detect.fingerprints.facts import DAY_US, HOUR_US

__all__ = ["DAY_US", "HOUR_US", "KIND_BITS", "TABLES", "USED_KINDS", "Facts"]

Facts: TypeAlias = nw.LazyFrame[Any]
"""Rows of facts, or a table computed from them, on any engine."""

KIND_BITS = 12  # room for more kinds of elicitation than are shipped
MIN_REPEATABLE_TOKENS = 5  # "ok" and "continue" repeat for everybody and say nothing

COUNTED_FLAGS = ("single_turn", "tools", "harvest", "saturated", "failed", "limited")
SUMMED_TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "text_tokens")
USED_KINDS = ("client", "address", "network", "asn", "system")
"""What a row of `usage` holds; an account has few different ones of each on a day."""


# What is counted is of 32 bits: sums of 64 bits are summed in 128, which takes longer.


def _sum(name: str) -> nw.Expr:
    return nw.col(name).sum().cast(nw.Int64)  # engines widen sums, each in its own way


def _max(name: str) -> nw.Expr:
    return nw.col(name).max().cast(nw.Int64)


def _flag(name: str) -> nw.Expr:
    return nw.when(nw.col(name)).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int32)


def _hour() -> nw.Expr:
    return nw.col("hour").cast(nw.Int64)


def _day() -> nw.Expr:
    return nw.col("day").cast(nw.Int64)


def _kind(bit: int) -> nw.Expr:
    low_bits = nw.col("elicitation").cast(nw.Int64) % 2 ** (bit + 1)  # no engine's own bit operations needed
    return nw.when(low_bits >= 2**bit).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int32)


def _elicited() -> nw.Expr:
    found = nw.when(nw.col("elicitation").cast(nw.Int64) > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    return found.cast(nw.Int32).alias("elicited")


def _one() -> nw.Expr:
    return nw.lit(1).cast(nw.Int32).alias("requests")


def _span() -> tuple[nw.Expr, nw.Expr]:
    return nw.col("time_us").min().alias("first_us"), nw.col("time_us").max().alias("last_us")


def accounts(facts: Facts) -> Facts:
    """Name the accounts.

    Args:
        facts: Rows of `fingerprints.facts.FACTS`.

    Returns:
        One row per `account` (hash of its id): `account_id`.
    """
    return facts.select("account", "account_id").group_by("account").agg(nw.col("account_id").min())


def activity(facts: Facts) -> Facts:
    """Sum what each account did in each hour.

    Args:
        facts: Rows of `fingerprints.facts.FACTS`.

    Returns:
        One row per `account` and `hour` (hours since 1970): `requests`, counts of flags, sums of tokens and
        `elicited` (requests with any kind of elicitation).
    """
    columns = [
        nw.col("account"),
        _hour().alias("hour"),
        *[_flag(name).alias(name) for name in COUNTED_FLAGS],
        *[nw.col(name).cast(nw.Int64) for name in SUMMED_TOKENS],
        _elicited(),
        _one(),
    ]
    summed = ["requests", *COUNTED_FLAGS, *SUMMED_TOKENS, "elicited"]
    return facts.select(*columns).group_by("account", "hour").agg(*[_sum(name) for name in summed])


def kinds(facts: Facts) -> Facts:
    """Count the kinds of elicitation, over the few requests that have any.

    Returns:
        One row per `account` and `day` (days since 1970): `kind_0`, `kind_1`, … (requests with that kind).
    """
    found = facts.filter(nw.col("elicitation").cast(nw.Int64) > 0)
    each = [_kind(bit).alias(f"kind_{bit}") for bit in range(KIND_BITS)]
    return (
        found.select("account", _day().alias("day"), *each)
        .group_by("account", "day")
        .agg(*[_sum(f"kind_{bit}") for bit in range(KIND_BITS)])
    )


def usage(facts: Facts) -> Facts:
    """Count from where, and as what, each account called.

    Returns:
        One row per `account`, `day` and combination of `client`, `address`, `network`, `asn` and `system` (int64, 0 =
        not known): `requests`, `first_us`, `last_us`.
    """
    columns = [nw.col(kind).cast(nw.Int64).fill_null(0) for kind in USED_KINDS]
    return (
        facts.select("account", _day().alias("day"), *columns, "time_us", _one())
        .group_by("account", "day", *USED_KINDS)
        .agg(_sum("requests"), *_span())
    )


def conversations(facts: Facts) -> Facts:
    """Count the requests of each conversation.

    Returns:
        One row per `account`, `day` and `conversation`: `requests`, `first_us`, `last_us`.
    """
    return (
        facts.filter(nw.col("conversation") != 0)
        .select("account", _day().alias("day"), "conversation", "time_us", _one())
        .group_by("account", "day", "conversation")
        .agg(_sum("requests"), *_span())
    )


def models(facts: Facts) -> Facts:
    """Sum requests and tokens of each account by day, model and surface.

    Returns:
        One row per `account`, `day`, `model` and `surface` ("" where the log does not say): `requests`,
        `input_tokens`, `output_tokens`.
    """
    columns = [
        nw.col("account"),
        _day().alias("day"),
        nw.col("model").fill_null(""),
        nw.col("surface").fill_null(""),
        nw.col("input_tokens").cast(nw.Int64),
        nw.col("output_tokens").cast(nw.Int64),
        _one(),
    ]
    sums = [_sum(name) for name in ("requests", "input_tokens", "output_tokens")]
    return facts.select(*columns).group_by("account", "day", "model", "surface").agg(*sums)


def prompts(facts: Facts) -> Facts:
    """Count each exact prompt of each account and day.

    Returns:
        One row per `account`, `day`, `content` and `system` (int64): `requests`, `elicited` (1 if any kind matched),
        `repeatable` (1 if the prompt is long enough for a repetition to mean something) and `keys` (its template
        shingles).
    """
    seen = facts.filter(nw.col("content") != 0)
    repeatable = nw.when(nw.col("text_tokens") >= MIN_REPEATABLE_TOKENS).then(nw.lit(1)).otherwise(nw.lit(0))
    columns = [
        nw.col("account"),
        _day().alias("day"),
        nw.col("content"),
        nw.col("system"),
        nw.col("request"),
        _elicited(),
        repeatable.cast(nw.Int32).alias("repeatable"),
        _one(),
    ]
    distinct = (
        seen.select(*columns)
        .group_by("account", "day", "content", "system")
        .agg(_sum("requests"), _max("elicited"), _max("repeatable"), nw.col("request").min())
    )
    # The keys of one request of each prompt, always the same one. Prompts that differ in their line breaks alone are
    # one prompt and may have other keys.
    carried = distinct.join(seen.select("request", "keys"), on="request", how="inner")
    return carried.select("account", "day", "content", "system", "requests", "elicited", "repeatable", "keys")


TABLES: dict[str, Callable[[Facts], Facts]] = {
    "accounts": accounts,
    "activity": activity,
    "kinds": kinds,
    "usage": usage,
    "conversations": conversations,
    "models": models,
    "prompts": prompts,
}
"""Every table of a profile, by name."""
