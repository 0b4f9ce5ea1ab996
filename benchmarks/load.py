"""Make request logs of any size to measure speed with: made-up words, heavy-tailed accounts, 18 days.

The shape follows what a scan has to work through, not what campaigns look like: 95,000 accounts for ten million
requests, prompts of about 300 characters, one request in three from a pipeline with a template of its own, one
account in a hundred from a group that shares a card and a template. A conversation belongs to one account; groups
hand a few over.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.load_text import Chance, Ids, Text, make_templates, make_text
from stillwatch.domain.requests import ACCOUNTS, REQUESTS, TIME_TYPE

ACCOUNTS_PER_REQUEST = 95_000 / 10_000_000
DAYS = 18
CHUNK = 500_000
VERSION = 5  # of what is made: a new one is not mixed up with what an old one left in the cache
_START_US = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
_DAY_US = 86_400_000_000
_SHARED_TEXTS = 300  # templates and system instructions of tutorials and frameworks
_OWN_TEXT = 0.8  # share of accounts with a template or system instructions that wrote their own
_GROUP = 40
_TURNS = 3  # requests of a conversation, on average


@dataclass(frozen=True)
class Load:
    """One log set on disk."""

    requests: Path
    accounts: Path
    rows: int


@dataclass(frozen=True)
class _World:
    """What stays the same over the whole set."""

    text: Text
    templates: pa.Array
    template_of: Ids
    systems: pa.Array
    system_of: Ids
    language_of: Ids
    cumulative: npt.NDArray[np.float64]

    @property
    def accounts(self) -> int:
        return len(self.cumulative)


def make_load(rows: int, folder: Path | None = None) -> Load:
    """Write a set of `rows` requests, or take the one that an earlier run left in the cache.

    Args:
        rows: Requests.
        folder: Where; None takes a cache folder of this user.
    """
    target = (folder or cache_folder()) / f"load-{VERSION}-{rows}"
    load = Load(target / "requests", target / "accounts.parquet", rows)
    if load.accounts.exists():  # written last
        return load
    load.requests.mkdir(parents=True, exist_ok=True)
    world = _make_world(max(50, round(rows * ACCOUNTS_PER_REQUEST)), np.random.default_rng(1))
    for part, first in enumerate(range(0, rows, CHUNK)):
        table = _requests(world, first, min(CHUNK, rows - first), rows)
        file = load.requests / f"part-{part:03}.parquet"
        pq.write_table(table, file, compression="zstd", compression_level=1, row_group_size=125_000)
    pq.write_table(_accounts(world), load.accounts)
    return load


def cache_folder() -> Path:
    """A folder that outlives this run and may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path(tempfile.gettempdir()) / f"stillwatch-{os.getuid()}")
    return Path(base) / "stillwatch-bench"


def _make_world(accounts: int, rng: Chance) -> _World:
    text = make_text(rng)
    pipelines = rng.random(accounts) < 0.1
    template_of = _own_or_shared(pipelines, rng)
    grouped = np.arange(accounts) >= accounts - accounts // 100
    template_of[grouped] = template_of.max() + 1 + np.arange(grouped.sum()) // _GROUP
    templates = make_templates(text, int(template_of.max()) + 1, rng)
    system_of = _own_or_shared(rng.random(accounts) < 0.3, rng)
    systems = text.sentences(*_lengths(int(system_of.max()) + 1, rng), rng)
    demand = rng.lognormal(0, 1.7, accounts) * np.where(pipelines, 4, 1)
    return _World(
        text,
        templates,
        template_of,
        systems,
        system_of,
        np.where(rng.random(accounts) < 0.1, rng.integers(0, text.languages, accounts), 0),
        np.cumsum(demand) / demand.sum(),
    )


def _own_or_shared(having: npt.NDArray[np.bool_], rng: Chance) -> Ids:
    """Number the texts of the accounts that have one, most of them their own; -1 for the others."""
    own = having & (rng.random(len(having)) < _OWN_TEXT)
    chosen = np.where(having, rng.integers(0, _SHARED_TEXTS, len(having)), -1)
    chosen[own] = _SHARED_TEXTS + np.arange(own.sum())
    return chosen


def _lengths(count: int, rng: Chance) -> tuple[Ids, Ids]:
    """Words of each system text, and its language."""
    return rng.integers(30, 120, count), np.zeros(count, np.int64)


def _requests(world: _World, first: int, count: int, rows: int) -> pa.Table:
    rng = np.random.default_rng((7, first))
    account = np.searchsorted(world.cumulative, rng.random(count))
    columns = {
        "request_id": _joined("req-", np.arange(first, first + count)),
        "time": pa.array(_times(first, count, rows), pa.int64()).cast(TIME_TYPE),
        "account_id": _joined("acct-", account),
        "api_key_id": _joined("key-", account),
        "conversation_id": _conversations(world, account, np.arange(first, first + count) / rows, rows, rng),
        "system_instructions": _chosen(world.systems, world.system_of[account]),
        "prompt": _prompts(world, account, rng),
        **_clients(account, rng),
        **_parameters(count, rng),
    }
    missing = {
        name: pa.nulls(count, REQUESTS.field(name).type) for name in REQUESTS.names if name not in columns
    }
    arrays = {**columns, **missing}
    return pa.table([arrays[field.name].cast(field.type) for field in REQUESTS], schema=REQUESTS)


def _times(first: int, count: int, rows: int) -> Ids:
    """Sorted times; by day three times as many calls at 12:00 UTC as at midnight."""
    even = (np.arange(first, first + count) + 0.5) / rows * DAYS
    warped = even + 0.5 / (2 * np.pi) * np.sin(2 * np.pi * even)
    return (_START_US + warped * _DAY_US).astype(np.int64)


def _conversations(
    world: _World, account: Ids, elapsed: npt.NDArray[np.float64], rows: int, rng: Chance
) -> pa.Array:
    """Number the conversations of each account by the share of the period that has passed; pipelines have none."""
    accounts = world.accounts
    holder = account.copy()
    handed = (account >= accounts - accounts // 100) & (rng.random(len(account)) < 0.02)
    holder[handed] = account[handed] // _GROUP * _GROUP  # another account of the group goes on with it
    expected = np.diff(world.cumulative, prepend=0.0)[holder] * rows
    number = (elapsed * expected / _TURNS).astype(np.int64)
    names = pc.binary_join_element_wise(_joined("conv-", holder), pa.array(number).cast(pa.string()), "-")
    return pc.if_else(pa.array(world.template_of[holder] >= 0), pa.scalar(None, pa.string()), names)


def _prompts(world: _World, account: Ids, rng: Chance) -> pa.Array:
    lengths = np.clip(rng.lognormal(3.82, 0.6, len(account)), 3, 600).astype(np.int64)
    template = world.template_of[account]
    lengths[template >= 0] = np.minimum(lengths[template >= 0], 44)
    free = world.text.sentences(lengths, world.language_of[account], rng)
    return pc.binary_join_element_wise(_chosen(world.templates, template), free, " ", null_handling="skip")


def _chosen(texts: pa.Array, number: Ids) -> pa.Array:
    """Take texts by number; a negative number takes none."""
    return texts.take(pa.array(number, mask=number < 0))


def _clients(account: Ids, rng: Chance) -> dict[str, pa.Array]:
    group = account // _GROUP
    octets = [
        pa.array(value % 256).cast(pa.string())
        for value in (group // 256, group, account + rng.integers(0, 2))
    ]
    agents = pa.array([f"sdk-{number % 7}/{number}.{number % 3}.0" for number in range(60)])
    return {
        "client_address": pc.binary_join_element_wise("240", *octets, "."),
        "client_asn": pa.array(64_512 + group % 900),
        "client_country": pa.array(["US", "DE", "IN", "BR", "JP", "FR", "GB", "KE"]).take(
            pa.array(group % 8)
        ),
        "tls_ja4": _joined("t13d1516h2_8daaf6152771_", account % 300),
        "user_agent": agents.take(pa.array(account % 60)),
    }


def _parameters(count: int, rng: Chance) -> dict[str, pa.Array]:
    output = np.clip(rng.lognormal(5.2, 1.0, count), 1, 8_192).astype(np.int64)
    return {
        "surface": pa.array(["api", "app", "bedrock", "vertex"]).take(
            pa.array(rng.choice(4, count, p=[0.6, 0.2, 0.1, 0.1]))
        ),
        "model": pa.array(["lamp-large", "lamp-small", "lamp-think"]).take(
            pa.array(rng.integers(0, 3, count))
        ),
        "operation": pa.repeat("chat", count),
        "message_count": pa.array(rng.integers(1, 9, count)),
        "tool_count": pa.array(np.where(rng.random(count) < 0.1, 4, 0)),
        "temperature": pa.array(rng.choice([0.0, 0.3, 0.7, 1.0], count)),
        "choice_count": pa.array(np.ones(count, np.int64)),
        "max_tokens": pa.array(rng.choice([512, 1024, 4096], count)),
        "logprobs": pa.array(rng.random(count) < 0.01),
        "stream": pa.array(rng.random(count) < 0.5),
        "input_tokens": pa.array(np.clip(rng.lognormal(5.5, 1.1, count), 1, 100_000).astype(np.int64)),
        "output_tokens": pa.array(output),
        "reasoning_tokens": pa.array(output // 3),
        "finish_reason": pa.array(["stop", "length"]).take(
            pa.array((rng.random(count) < 0.05).astype(np.int64))
        ),
        "status": pa.array(rng.choice([200, 400, 429, 500], count, p=[0.98, 0.005, 0.01, 0.005])),
        "latency_ms": pa.array(output * 12),
    }


def _joined(prefix: str, numbers: Ids) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _accounts(world: _World) -> pa.Table:
    rng = np.random.default_rng(3)
    count = world.accounts
    number = np.arange(count)
    # The last hundredth comes in groups that share a card; everybody else has one of their own.
    card = np.where(number >= count - count // 100, count + number // _GROUP, number)
    created = _START_US - (rng.random(count) * 400 * _DAY_US).astype(np.int64)
    columns = {
        "account_id": _joined("acct-", number),
        "created_at": pa.array(created).cast(TIME_TYPE),
        "account_type": pa.array(["individual", "organization"]).take(pa.array(number % 2)),
        "programme": pa.repeat("standard", count),
        "email_domain": pc.binary_join_element_wise(
            _joined("d", rng.integers(0, count // 3 + 1, count)), "example", "."
        ),
        "payment_fingerprint": _joined("card-", card),
        "payment_bin": _joined("4", card % 500),
        "billing_country": pa.array(["US", "DE", "IN", "BR"]).take(pa.array(number % 4)),
        "phone_country": pa.array(["US", "DE", "IN", "BR"]).take(pa.array(number % 4)),
        "verified": pa.array(rng.random(count) < 0.6),
    }
    missing = {
        name: pa.nulls(count, ACCOUNTS.field(name).type) for name in ACCOUNTS.names if name not in columns
    }
    arrays = {**columns, **missing}
    return pa.table([arrays[field.name].cast(field.type) for field in ACCOUNTS], schema=ACCOUNTS)
