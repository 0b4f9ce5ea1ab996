"""Judging every account of a table that is on a programme."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.respond.access.programmes.eligibility import Eligibility, Evidence, evaluate
from stillwatch.respond.access.programmes.reading import Programmes
from stillwatch.respond.decisions.playbook import STANDARD

_NOTHING = Evidence()


def evaluate_all(
    accounts: pa.Table, programmes: Programmes, evidence: Mapping[str, Evidence], now: datetime
) -> tuple[tuple[Eligibility, ...], Mapping[str, int]]:
    """Judge the accounts that are on a programme.

    Args:
        accounts: Schema `domain.requests.ACCOUNTS`.
        programmes: The programmes.
        evidence: Account id to what else is known.
        now: The time, with a zone.

    Returns:
        The answers in the order of the table, and how many accounts are on programmes that are not described.
    """
    names = pa.array(programmes.by_name, pa.string())
    on_one = accounts.filter(pc.is_in(accounts.column("programme"), value_set=names))
    found = tuple(
        evaluate(row, programmes.by_name[row["programme"]], evidence.get(row["account_id"], _NOTHING), now)
        for row in on_one.to_pylist()
    )
    every = Counter(accounts.column("programme").drop_null().to_pylist())
    known = {*programmes.by_name, STANDARD}
    return found, {name: count for name, count in sorted(every.items()) if name not in known}
