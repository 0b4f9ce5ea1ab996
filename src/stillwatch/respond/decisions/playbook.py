"""The playbook: a file that says which findings lead to which steps.

It is data that counsel can read and a version control system can keep. Steps are what *may* happen: a playbook is
in shadow until a person turns exactly this content on.
"""

import hashlib
import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from stillwatch.domain.actions import Action, Withheld
from stillwatch.domain.decisions import Throttle
from stillwatch.domain.findings import Finding
from stillwatch.domain.severity import Confidence, Label, Severity

MAX_FOR: Final = timedelta(days=366)
"""No step lasts longer: what should go on is looked at again and extended by a person."""

STANDARD: Final = "standard"
"""The programme of an account that is on no on-ramp, or of which nothing is known."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"^(\d{1,6})([smhdw])$")


def read_duration(value: object) -> object:
    """Read 30m, 12h or 7d.

    Raises:
        ValueError: it is something else; inside a playbook this becomes a `PlaybookError`.
    """
    if not isinstance(value, str):
        raise ValueError("write a duration with its unit, as 30m, 12h or 7d")  # noqa: TRY004 - pydantic collects ValueError
    found = _DURATION.match(value)
    if found is None:
        raise ValueError(f"{value!r} is no duration; write 30m, 12h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]


class _Part(BaseModel):
    """A part of a playbook: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Delay(_Part):
    """A random delay before a step begins, so that its trigger cannot be learned from when it comes.

    Attributes:
        min: shortest delay.
        max: longest delay; the one that is drawn is uniform between both.
    """

    min: Duration
    max: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError("max is shorter than min")
        return self


class Step(_Part):
    """One thing that is done.

    Attributes:
        action: what happens to calls.
        lasts: how long, written as `for`; the end is automatic.
        after: random delay before it begins, or None.
        share: part of the calls acted on, chosen by chance.
        requests_per_min: rate of the token bucket, for throttle.
        burst: size of the token bucket, for throttle.
        pooled: one bucket for the whole campaign, for throttle.
        withhold: what answers are given without, for withhold.
        tags: what calls are marked with, for tag.
    """

    action: Action
    lasts: Duration = Field(alias="for", gt=timedelta(0), le=MAX_FOR)
    after: Delay | None = None
    share: float = Field(default=1.0, gt=0.0, le=1.0)
    requests_per_min: float | None = Field(default=None, gt=0.0, le=1_000_000.0)
    burst: int | None = Field(default=None, ge=1, le=1_000_000)
    pooled: bool | None = None
    withhold: tuple[Withheld, ...] = ()
    tags: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = ()

    @property
    def throttle(self) -> Throttle | None:
        """Return the token bucket of a throttle step."""
        if self.action is not Action.THROTTLE or self.requests_per_min is None or self.burst is None:
            return None
        return Throttle(requests_per_min=self.requests_per_min, burst=self.burst, pooled=bool(self.pooled))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Each action has what it needs and nothing that belongs to another."""
        rated = (self.requests_per_min, self.burst)
        if self.action is Action.THROTTLE and None in rated:
            raise ValueError("throttle needs requests_per_min and burst")
        if self.action is not Action.THROTTLE and (*rated, self.pooled) != (None, None, None):
            raise ValueError("requests_per_min, burst and pooled belong to throttle")
        if bool(self.withhold) != (self.action is Action.WITHHOLD):
            raise ValueError(
                "withhold needs a list of what is withheld (reasoning, logprobs, choices); nothing else has one"
            )
        if bool(self.tags) != (self.action is Action.TAG):
            raise ValueError("tag needs a list of tags; nothing else has one")
        return self


class When(_Part):
    """Which findings, and which of their accounts. What is left out matches everything.

    Attributes:
        label: any of these labels.
        severity: at least this severity.
        confidence: at least this confidence.
        accounts: at least so many accounts in the finding.
        programme: any of these on-ramps, account by account; `standard` is none.
    """

    label: tuple[Label, ...] = Field(default=(Label.DISTILLATION, Label.RESALE), min_length=1)
    severity: Severity = Severity.LOW
    confidence: Confidence = Confidence.LOW
    accounts: int = Field(default=1, ge=1)
    programme: tuple[Name, ...] | None = Field(default=None, min_length=1)

    def holds(self, finding: Finding) -> bool:
        """Say whether the finding itself matches."""
        return (
            finding.label in self.label
            and finding.severity.rank >= self.severity.rank
            and finding.confidence.rank >= self.confidence.rank
            and len(finding.accounts) >= self.accounts
        )

    def includes(self, programme: str) -> bool:
        """Say whether accounts on this on-ramp match."""
        return self.programme is None or programme in self.programme


class Rule(_Part):
    """Findings, and what is done about them.

    Attributes:
        name: unique in the playbook; named in the reason of every decision.
        when: which findings and accounts. The first rule that matches an account decides.
        steps: what is done, all of it.
    """

    name: Name
    when: When
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _never_on_resale_alone(self) -> Self:
        """Most people behind a reseller are ordinary developers."""
        blocks = any(step.action is Action.BLOCK for step in self.steps)
        if blocks and Label.RESALE in self.when.label:
            raise ValueError("resale alone is never blocked; a rule that blocks says `label: [distillation]`")
        acts = any(step.action is not Action.OBSERVE for step in self.steps)
        if acts and Label.AUTHORIZED in self.when.label:
            raise ValueError("authorized use is only observed")
        return self


class Playbook(_Part):
    """All rules, in order.

    Attributes:
        name: what it is called.
        version: its version, by whatever scheme its owners use.
        description: what it is for.
        rules: in order; for each account the first that matches decides.
    """

    name: Name
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=40)]
    description: str = ""
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _version_is_text(cls, data: Any) -> Any:
        """Let people write `version: 3`."""
        if isinstance(data, dict) and isinstance(data.get("version"), int | float):
            return {**data, "version": str(data["version"])}
        return data

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are called {twice[0]}")
        return self

    @cached_property
    def digest(self) -> str:
        """Return the first 16 hexadecimal digits of the SHA-256 of its content; comments and layout do not count."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()[:16]

    @property
    def author(self) -> str:
        """Return how its decisions are signed."""
        return f"playbook:{self.name}@{self.version}+{self.digest}"

    def rule_for(self, finding: Finding, programme: str = STANDARD) -> Rule | None:
        """Return the first rule for accounts of a finding on one on-ramp, or None."""
        return next(
            (one for one in self.rules if one.when.holds(finding) and one.when.includes(programme)), None
        )
