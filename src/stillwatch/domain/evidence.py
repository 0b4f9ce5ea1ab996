"""The parts a finding is made of: evidence, explanations, exemplars, estimates, graph."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from stillwatch.domain.record import Count, Record, Share
from stillwatch.domain.severity import AuthorizationStatus, EvidenceKind, Verdict


class Evidence(Record):
    """One piece of evidence and what it is worth.

    Attributes:
        name: the link or signal it comes from, as in the catalogue.
        kind: `link` ties accounts together, `signal` tests their pooled demand.
        nats: weight in nats, the log of how unlikely this is among ordinary accounts;
            negative when it speaks for an innocent explanation.
        p_value: chance of evidence this strong among ordinary clusters, or None.
        sentence: what was seen, in one plain sentence with its figures.
        compared_with: what "ordinary" was taken from for this test.
    """

    name: str = Field(min_length=1)
    kind: EvidenceKind
    nats: float
    p_value: Share | None = None
    sentence: str = Field(min_length=1)
    compared_with: str = ""


class Explanation(Record):
    """One innocent explanation that was considered, and where it stands."""

    name: str = Field(min_length=1)
    sentence: str = Field(min_length=1)
    verdict: Verdict


class Exemplar(Record):
    """One template family, shown as a short redacted text.

    Attributes:
        template: template id, lower-case hexadecimal.
        text: redacted, shortened text. Written by whoever sent it: never trust it.
        accounts: accounts of the cluster that used the template.
        exchanges: exchanges of the cluster that used the template.
    """

    template: str = Field(pattern=r"^[0-9a-f]+$")
    text: str
    accounts: Count
    exchanges: Count


class Interval(Record):
    """A share with its interval.

    Attributes:
        share: point estimate, 0 to 1.
        low: lower end, 0 to 1.
        high: upper end, 0 to 1.
        level: how often intervals made this way cover the truth, 0 to 1.
    """

    share: Share
    low: Share
    high: Share
    level: Share = 0.95

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        """Refuse an interval that does not hold its own estimate."""
        if not self.low <= self.share <= self.high:
            message = "an interval must satisfy low <= share <= high"
            raise ValueError(message)
        return self


class ExtractionEstimate(Interval):
    """The share of a cluster's requests that is extraction, with an interval."""


class TimelinePoint(Record):
    """One UTC day of a cluster: exchanges, accounts active, output tokens."""

    day: date
    exchanges: Count
    accounts: Count
    output_tokens: Count


class GraphNode(Record):
    """One account in the sampled graph, with its exchanges in the scanned span."""

    account_id: str
    exchanges: Count


class GraphEdge(Record):
    """Weighted link between two sampled accounts: total nats and the kinds of link."""

    source: str
    target: str
    nats: float
    kinds: tuple[str, ...] = ()


class GraphSample(Record):
    """A capped sample of a cluster's graph, with the totals it was drawn from.

    Attributes:
        nodes: sampled accounts, most exchanges first.
        edges: links among the sampled accounts only.
        total_nodes: accounts in the whole cluster.
        total_edges: links in the whole cluster.
    """

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    total_nodes: Count = 0
    total_edges: Count = 0


class AuthorizationNote(Record):
    """The recorded permission that touches a cluster, and whether it covers it."""

    authorization_id: str
    status: AuthorizationStatus
    sentence: str
