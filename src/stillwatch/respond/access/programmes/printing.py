"""Places on programmes as text for people and as JSON for programs."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from stillwatch.respond.access.programmes.eligibility import Eligibility, Status


def as_json(found: Sequence[Eligibility]) -> str:
    """Return a JSON array with a final newline."""
    return json.dumps([each.model_dump(mode="json") for each in found], indent=2) + "\n"


def as_text(found: Sequence[Eligibility]) -> str:
    """Return everybody who is not simply eligible, worst first, and one summary line."""
    order = list(Status)
    ranked = sorted(found, key=lambda each: (order.index(each.status), each.programme, each.account_id))
    lines = [line for each in ranked if each.status is not Status.ELIGIBLE for line in _lines(each)]
    counts = Counter(each.status for each in found)
    summary = ", ".join(f"{counts[status]} {status.phrase}" for status in Status if counts[status])
    return "\n".join([*lines, f"{len(found)} account(s) on programmes: {summary or 'none'}."]) + "\n"


def _lines(each: Eligibility) -> Iterator[str]:
    yield f"{each.status.value}[{each.programme}]: {each.account_id}"
    yield from (f"  {reason.sentence}" for reason in each.reasons)
