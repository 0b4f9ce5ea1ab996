"""Turn clusters that stand apart into findings that a person can read and check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from stillwatch.detect.findings.calibration import self_reference
from stillwatch.detect.findings.detection import Look, Verdicts
from stillwatch.detect.findings.explanation import controls_defeated, explanations
from stillwatch.detect.findings.extraction import mark_requests
from stillwatch.detect.findings.severity import SUPPORTING_P_VALUE, Gravity, confidence
from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.profiles.definition import HOUR_US
from stillwatch.detect.profiles.state import State
from stillwatch.detect.signals.registry import available
from stillwatch.domain.findings import (
    AuthorizationNote,
    Evidence,
    EvidenceKind,
    Exemplar,
    ExtractionEstimate,
    Finding,
    GraphEdge,
    GraphNode,
    GraphSample,
    Label,
    Severity,
    TimelinePoint,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOSTLY = 0.5  # above this share of extraction the demand as a whole is called distillation-shaped
SHOWN_NODES, SHOWN_EDGES, SHOWN_EXEMPLARS = 120, 400, 6
ATLAS = {
    Label.DISTILLATION: ("AML.T0024.002",),  # Extract AI Model
    Label.RESALE: ("AML.T0008.005",),  # AI Service Proxies
    Label.AUTHORIZED: (),
}
NEXT_STEP = {
    Severity.LOW: "observe",
    Severity.MEDIUM: "observe, and ask the account holders",
    Severity.HIGH: "open a case; require verification",
    Severity.CRITICAL: "open a case now; withhold reasoning and log-probabilities while it is checked",
}


@dataclass(frozen=True)
class Flagged:
    """One flagged cluster, judged.

    Args:
        index: Which cluster of the look.
        label: What it is called.
        p_value: For that label.
        q_value: For that label.
        extraction: The share of its requests that is extraction.
        own_share: Each account's share, by position.
        gravity: What its severity rests on.
    """

    index: int
    label: Label
    p_value: float
    q_value: float
    extraction: ExtractionEstimate
    own_share: dict[int, float]
    gravity: Gravity


def flag(state: State, seen: Look, verdicts: Verdicts, fdr: float) -> list[Flagged]:
    """Judge every cluster that passed the false-discovery control.

    Args:
        state: Where the facts are, for the share of extraction.
        seen: The window.
        verdicts: p- and q-values.
        fdr: Nominal false-discovery rate.
    """
    out = []
    for index in np.flatnonzero(verdicts.flagged(seen, fdr)).tolist():
        marked = mark_requests(state, seen.population, seen.groups.members[index])
        extraction = marked.estimate(np.random.default_rng(0))
        hands = float(seen.groups.share("mixed_modes", of="accounts")[index])
        label = _label(verdicts, index, fdr, hands, extraction.share)
        p_values, q_values = (
            (verdicts.p_distillation, verdicts.q_distillation)
            if label is Label.DISTILLATION
            else (verdicts.p_resale, verdicts.q_resale)
        )
        p_value, q_value = float(p_values[index]), float(q_values[index])
        out.append(
            Flagged(
                index,
                label,
                p_value,
                q_value,
                extraction,
                marked.own_share(),
                _gravity(seen, index, label, extraction),
            )
        )
    return out


def _label(verdicts: Verdicts, index: int, fdr: float, hands: float, share: float) -> Label:
    """Name the demand by the test that was passed; where both were, by what most of it is."""
    if verdicts.q_resale[index] > fdr:
        return Label.DISTILLATION
    if verdicts.q_distillation[index] > fdr:
        return Label.RESALE
    return Label.DISTILLATION if share >= MOSTLY or share >= hands else Label.RESALE


def _gravity(seen: Look, index: int, label: Label, extraction: ExtractionEstimate) -> Gravity:
    requests = float(seen.groups.pooled("requests")[index])
    coordinated = int(seen.groups.size[index]) if seen.is_group[index] and not seen.openly_one[index] else 0
    exchanges = requests if label is Label.RESALE else requests * extraction.share
    return Gravity(exchanges, coordinated, controls_defeated(seen, index))


def build_finding(
    seen: Look,
    flagged: Flagged,
    *,
    campaign_id: str,
    detected_at: datetime | None,
    names: dict[tuple[str, int], str],
    notes: dict[str, AuthorizationNote],
) -> Finding:
    """Write one finding.

    Args:
        seen: The window.
        flagged: The cluster.
        campaign_id: Its lasting id.
        detected_at: End of the first step that flagged it at medium or above.
        names: What hashed values look like, by kind and value.
        notes: Permissions that touch accounts, by account id.
    """
    members = seen.groups.members[flagged.index]
    ids = [str(one) for one in seen.population.account_ids[members]]
    pooled = {
        name: int(seen.groups.measures[name][members].sum())
        for name in ("requests", "input_tokens", "output_tokens")
    }
    hours = _hours(seen, members)
    evidence = (*_link_evidence(seen, flagged.index, names), *_signal_evidence(seen, flagged.index))
    supporting = sum(
        1 for one in evidence if one.kind is EvidenceKind.SIGNAL and (one.p_value or 1) <= SUPPORTING_P_VALUE
    )
    touching = next((notes[one] for one in ids if one in notes), None)
    what = "one operator" if len(ids) > 1 else "one account"
    return Finding(
        finding_id=f"{campaign_id}-{flagged.label.value}",
        campaign_id=campaign_id,
        label=flagged.label,
        title=f"{len(ids):,} accounts, {pooled['requests']:,} exchanges, {what}"
        if len(ids) > 1
        else f"1 account, {pooled['requests']:,} exchanges",
        severity=flagged.gravity.severity,
        severity_reasons=flagged.gravity.reasons,
        confidence=confidence(flagged.q_value, supporting),
        p_value=flagged.p_value,
        q_value=flagged.q_value,
        accounts=tuple(sorted(ids)),
        exchanges=pooled["requests"],
        input_tokens=pooled["input_tokens"],
        output_tokens=pooled["output_tokens"],
        first_seen=_at(int(hours.min()) * HOUR_US),
        last_seen=_at(
            min(int(hours.max() + 1) * HOUR_US - 1, max(seen.population.last_us, int(hours.min()) * HOUR_US))
        ),
        detected_at=detected_at if flagged.gravity.severity is not Severity.LOW else None,
        extraction=flagged.extraction,
        evidence=evidence,
        innocent=explanations(seen, flagged.index, flagged.label),
        exemplars=_exemplars(seen, members, names),
        timeline=_timeline(seen, members),
        graph=_graph(seen, members),
        models=_by_name(seen, members, "model"),
        surfaces=_by_name(seen, members, "surface"),
        controls_defeated=flagged.gravity.controls,
        atlas=ATLAS[flagged.label],
        authorization=touching,
        action=NEXT_STEP[flagged.gravity.severity],
    )


def _at(time_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def _hours(seen: Look, members: NDArray[np.int64]) -> NDArray[np.int64]:
    table = seen.population.hours
    return np.asarray(table["hour"][np.isin(table["account"], members)]).astype(np.int64)


def _link_evidence(seen: Look, index: int, names: dict[tuple[str, int], str]) -> list[Evidence]:
    """Say what ties the accounts, kind by kind, in mean nats of a tie."""
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


def _signal_evidence(seen: Look, index: int) -> list[Evidence]:
    """Set every signal against ordinary clusters of the same sort."""
    group = bool(seen.is_group[index])
    same = np.flatnonzero((seen.is_group == group) & ~seen.openly_one)
    out = []
    for signal in available(seen.groups):
        if seen.groups.size[index] < signal.min_accounts:
            continue
        values = signal.measure(seen.groups)
        reference, inside = self_reference(values[same])
        member = np.zeros(len(values), dtype=bool)
        member[same[inside]] = True
        own = np.zeros(1, dtype=bool) | member[index]
        p_value = float(reference.p_values(values[index : index + 1], inside=own)[0])
        nats = -np.log(p_value) - 1.0
        out.append(
            Evidence(
                name=signal.name,
                kind=EvidenceKind.SIGNAL,
                nats=float(nats),
                p_value=p_value,
                sentence=signal.say(seen.groups, index),
                compared_with=f"{len(reference.scores):,} ordinary {'clusters' if group else 'accounts'} of this scan",
            )
        )
    return sorted(out, key=lambda one: -one.nats)


def _exemplars(
    seen: Look, members: NDArray[np.int64], names: dict[tuple[str, int], str]
) -> tuple[Exemplar, ...]:
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


def _timeline(seen: Look, members: NDArray[np.int64]) -> tuple[TimelinePoint, ...]:
    table = seen.population.hours
    mine = np.isin(table["account"], members)
    day = table["hour"][mine].astype(np.int64) // 24
    out = []
    for one in np.unique(day):
        rows = day == one
        out.append(
            TimelinePoint(
                day=date(1970, 1, 1) + timedelta(days=int(one)),
                exchanges=int(table["requests"][mine][rows].sum()),
                accounts=len(np.unique(table["account"][mine][rows])),
                output_tokens=int(table["output_tokens"][mine][rows].sum()),
            )
        )
    return tuple(out)


def _graph(seen: Look, members: NDArray[np.int64]) -> GraphSample:
    requests = seen.groups.measures["requests"]
    inside = np.isin(seen.ties.left, members) & np.isin(seen.ties.right, members)
    shown = members[np.argsort(-requests[members], kind="stable")[:SHOWN_NODES]]
    both = np.isin(seen.ties.left, shown) & np.isin(seen.ties.right, shown)
    total = np.sum(list(seen.ties.by_kind.values()), axis=0) if seen.ties.by_kind else np.zeros(len(both))
    places = np.flatnonzero(both)
    places = places[np.argsort(-total[places], kind="stable")[:SHOWN_EDGES]]
    ids = seen.population.account_ids
    return GraphSample(
        nodes=tuple(GraphNode(account_id=str(ids[one]), exchanges=int(requests[one])) for one in shown),
        edges=tuple(
            GraphEdge(
                source=str(ids[seen.ties.left[place]]),
                target=str(ids[seen.ties.right[place]]),
                nats=float(total[place]),
                kinds=tuple(sorted(name for name, nats in seen.ties.by_kind.items() if nats[place] > 0)),
            )
            for place in places
        ),
        total_nodes=len(members),
        total_edges=int(inside.sum()),
    )


def _by_name(seen: Look, members: NDArray[np.int64], column: str) -> dict[str, int]:
    table = seen.population.models
    mine = np.isin(table["account"], members)
    names, dense = np.unique(table[column][mine].astype(str), return_inverse=True)
    counts = np.bincount(dense, table["requests"][mine].astype(np.float64), len(names))
    pairs = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1])
    return {name or "unknown": int(count) for name, count in pairs}
