"""The redacted templates that a finding shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look
from stillwatch.domain.findings import Exemplar

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_EXEMPLARS = 6


def exemplars(
    seen: Look, members: NDArray[np.int64], names: dict[tuple[str, int], str]
) -> tuple[Exemplar, ...]:
    """Show the redacted template families that most of the exchanges belong to.

    Args:
        seen: The window.
        members: Positions of the finding's accounts.
        names: What hashed values look like, by kind and value.
    """
    table = seen.population.templates
    if len(table) == 0:
        return ()
    mine = np.isin(table["account"], members)
    keys, dense = np.unique(table["key"][mine].astype(np.int64), return_inverse=True)
    requests = np.bincount(dense, table["requests"][mine].astype(np.float64), len(keys))
    accounts = np.bincount(dense, minlength=len(keys))
    out: list[Exemplar] = []
    said: set[str] = set()
    for place in np.argsort(-requests, kind="stable"):
        text = names.get(("template", int(keys[place])))
        if text and text not in said:
            said.add(text)
            out.append(
                Exemplar(
                    template=f"{int(keys[place]):016x}",
                    text=text,
                    accounts=int(accounts[place]),
                    exchanges=int(requests[place]),
                )
            )
        if len(out) == SHOWN_EXEMPLARS:
            break
    return tuple(out)
