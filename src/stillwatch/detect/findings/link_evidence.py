"""What ties the accounts of a finding, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.detection import Look
from stillwatch.detect.links.registry import link_kinds
from stillwatch.domain.findings import Evidence, EvidenceKind

if TYPE_CHECKING:
    from numpy.typing import NDArray


def link_evidence(seen: Look, index: int, names: dict[tuple[str, int], str]) -> list[Evidence]:
    """Say what ties the accounts, kind by kind, in mean nats of a tie, the strongest first.

    Args:
        seen: The window.
        index: Which cluster.
        names: What hashed values look like, by kind and value.
    """
    members = seen.groups.members[index]
    if len(members) < 2:
        return []
    inside = np.isin(seen.ties.left, members) & np.isin(seen.ties.right, members)
    titles = {kind.name: kind.title for kind in link_kinds()}
    titles |= {"template_family": "the same prompt templates", "active_hours": "the same busy hours"}
    out = []
    for name, nats in seen.ties.by_kind.items():
        mine = nats[inside]
        tied = mine > 0
        if not tied.any():
            continue
        joined = np.unique(np.concatenate([seen.ties.left[inside][tied], seen.ties.right[inside][tied]]))
        said = f"{len(joined):,} of {len(members):,} accounts are tied to another by {titles[name]}; {mine[tied].mean():.1f} nats a tie"
        out.append(
            Evidence(
                name=name,
                kind=EvidenceKind.LINK,
                nats=float(mine.sum() / max(len(mine), 1)),
                sentence=said + _example(seen, name, members, names),
                compared_with="two accounts drawn at random from this population",
            )
        )
    return sorted(out, key=lambda one: -one.nats)


def _example(seen: Look, kind: str, members: NDArray[np.int64], names: dict[tuple[str, int], str]) -> str:
    """Name the commonest shared value, where its text was kept."""
    shared = next((one for one in seen.evidence.shared if one.kind.name == kind), None)
    if shared is None:
        return ""
    mine = np.isin(shared.members.account, members)
    if not mine.any():
        return ""
    counts = np.bincount(shared.members.value[mine], minlength=len(shared.members.holders))
    top = int(counts.argmax())
    text = names.get((kind, int(shared.members.label[top])), "")
    value = f" ({text})" if text else ""
    return f"; the commonest{value} joins {counts[top]:,} of its {shared.members.holders[top]:,} holders here"
