"""What a scenario may say about campaigns: the adversary's fields."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stillwatch.lab.simulation.customers import Interface, Languages, Registration, Share, Strict, Texts
from stillwatch.lab.simulation.names import known

LabName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Timing(StrEnum):
    """How a campaign spreads its calls over the day."""

    STEADY = "steady"
    BATCH = "batch"
    SYNCHRONIZED = "synchronized"
    OPERATOR = "operator"
    HUMAN = "human"


class Dispatch(StrEnum):
    """Which of its accounts a campaign uses for the next call.

    `sticky` keeps one of its end users on one account for an hour. `own` has no dispatcher: a person sits behind each
    account and keeps that person's hours.
    """

    ROUND_ROBIN = "round_robin"
    LEAST_RECENT = "least_recent"
    WEIGHTED = "weighted"
    STICKY = "sticky"
    RANDOM = "random"
    OWN = "own"


class Infrastructure(Strict):
    """What a campaign's accounts share, and what each has for itself.

    Attributes:
        payment: `own` card per account, or `shared` over `cards` cards.
        cards: How many cards.
        bins: How many issuers the cards come from; 0 means as ordinary customers.
        addresses: `own` residential per account, `shared` over `pool` addresses, `blocks` of /24 networks, `rotating`
            proxies (another exit each day), `vpn`, or `cloud` servers.
        pool: How many addresses or blocks.
        clients: How many distinct client programs; 0 means as ordinary customers.
        library: The client library of those programs; empty draws one each.
        frozen: The clients never upgrade.
        created: `aged` accounts, `waves` of registration, or `fresh` when needed.
        waves: How many waves.
        own_domains: Share of e-mail addresses in a few domains of the operator.
    """

    payment: Literal["own", "shared"] = "own"
    cards: int = Field(default=1, ge=1)
    bins: int = Field(default=0, ge=0)
    addresses: Literal["own", "shared", "blocks", "rotating", "vpn", "cloud"] = "own"
    pool: int = Field(default=8, ge=1)
    clients: int = Field(default=0, ge=0)
    library: Annotated[str, AfterValidator(known("library"))] = ""
    frozen: bool = False
    created: Literal["aged", "waves", "fresh"] = "waves"
    waves: int = Field(default=4, ge=1)
    own_domains: Share = 0.0


class Campaign(Strict):
    """One operation against one or more labs.

    Attributes:
        name: Becomes the campaign id, together with the lab where there are several.
        like: A packaged adversary whose fields are the defaults.
        operator: Who runs it. Campaigns of one operator share cards, addresses, clients and templates across labs.
        labs: Which labs are attacked; empty means all.
        label: `distillation`, or `resale` for pooled access sold on.
        query_budget: Requests in the whole campaign; none means that `rate` decides.
        data_budget: Distinct prompts that the operator has; none means as many as are asked.
        interface: The interface profile.
        accounts: Accounts in total. Those beyond `active` replace banned ones.
        active: Accounts in use at the same time.
        rate: Requests per account in use and day; none derives it from the query budget.
        start_day: First day, counted from zero.
        end_day: The day it stops (exclusive); none means the end of the scenario.
        replacement_h: Median hours from a ban to the replacement.
        banned_at_end: Share of the last accounts that are closed after the campaign's end.
        dispatch: Which account is used next.
        timing: When calls are made.
        jobs_per_day: For `batch` and `synchronized`.
        job_h: Length of one job.
        recipe: What is extracted: text kinds with weights.
        languages: Language weights of the recipe.
        variants: How many wordings of the template exist.
        variants_by: Whether an `account` keeps its variant or each `request` draws one.
        cover: Share of calls that are ordinary chat, to hide the rest.
        cover_text: What the cover looks like.
        pivot: Share of calls that moves to a new model within `pivot_h` of its release.
        pivot_h: Hours until the pivot is complete.
        without_replacement: Go through the prompt set once before asking anything twice.
        samples: How often each prompt is asked in a row.
        users: People behind a resale service.
        extraction: Share of extraction in each resold account, lowest and highest.
        infrastructure: What is shared.
        registration: How its accounts sign up.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    like: str = ""
    operator: str = ""
    labs: tuple[LabName, ...] = ()
    label: Literal["distillation", "resale"] = "distillation"
    query_budget: int | None = Field(default=None, ge=1)
    data_budget: int | None = Field(default=None, ge=1)
    interface: Interface = Interface()
    accounts: int = Field(ge=1)
    active: int = Field(ge=1)
    rate: float | None = Field(default=None, gt=0)
    start_day: int = Field(default=1, ge=0)
    end_day: int | None = Field(default=None, ge=1)
    replacement_h: float = Field(default=4.0, ge=0)
    banned_at_end: Share = 0.1
    dispatch: Dispatch = Dispatch.ROUND_ROBIN
    timing: Timing = Timing.STEADY
    jobs_per_day: int = Field(default=3, ge=1)
    job_h: float = Field(default=3.0, gt=0)
    recipe: Texts
    languages: Languages = Field(default={"en": 1.0})
    variants: int = Field(default=1, ge=1)
    variants_by: Literal["account", "request"] = "request"
    cover: Share = 0.0
    cover_text: Texts = Field(default={"chat": 1.0})
    pivot: Share = 0.0
    pivot_h: float = Field(default=24.0, gt=0)
    without_replacement: bool = True
    samples: int = Field(default=1, ge=1)
    users: int = Field(default=0, ge=0)
    extraction: tuple[Share, Share] = (0.0, 0.0)
    infrastructure: Infrastructure = Infrastructure()
    registration: Registration = Registration(new=0.8, verified=0.35, closed=0.0)

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.rate is None and self.query_budget is None:
            raise ValueError("a campaign needs a rate or a query_budget")
        if self.active > self.accounts:
            raise ValueError("active accounts cannot be more than accounts")
        if self.end_day is not None and self.end_day <= self.start_day:
            raise ValueError("end_day must be later than start_day")
        if self.label == "resale" and not self.users:
            raise ValueError("a resale campaign needs users")
        return self
