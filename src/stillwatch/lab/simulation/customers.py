"""What a scenario may say about ordinary customers, and about accounts in general."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stillwatch.lab.simulation.names import known, weighted

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Texts = Annotated[dict[str, float], AfterValidator(weighted("text"))]
Languages = Annotated[dict[str, float], AfterValidator(weighted("language"))]
Span = Annotated[tuple[float, float], Field(description="lowest and highest value")]


Shareable = Literal["payment", "network", "template", "domain", "created", "client", "region"]


class Hours(StrEnum):
    """When somebody is at work.

    `human` and `office` follow the sun of the account's country, `always` does not, `cron` is one fixed time a day
    for each account, `shared_cron` one for each group, `midnight` is 00:00 UTC for everybody.
    """

    HUMAN = "human"
    OFFICE = "office"
    ALWAYS = "always"
    CRON = "cron"
    SHARED_CRON = "shared_cron"
    MIDNIGHT = "midnight"


class Items(StrEnum):
    """Where the questions come from.

    `fresh` is never the same twice on purpose, `popular` draws with a Zipf law from a pool, `sweep` goes through a
    data set in order, `exercises` is a short list that changes every week.
    """

    FRESH = "fresh"
    POPULAR = "popular"
    SWEEP = "sweep"
    EXERCISES = "exercises"


class Strict(BaseModel):
    """Base of everything read from a scenario file: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Demand(Strict):
    """How much an account asks, and in what rhythm.

    Attributes:
        median: Requests per active day of the median account.
        sigma: Deviation of the logarithm over accounts. 1.5 makes the top percentile 30 times the median.
        most: No account asks more than this in a day.
        active_days: Share of days on which an account shows up at all, lowest and highest.
        session: Mean number of requests in one sitting, job or burst.
        gap_s: Median seconds between two requests of a session.
        hours: When sessions start.
        weekend: Activity on Saturday and Sunday against a weekday.
    """

    median: float = Field(default=3.0, gt=0)
    sigma: float = Field(default=1.0, ge=0, le=3)
    most: float = Field(default=3000.0, gt=0)
    active_days: tuple[Share, Share] = (0.1, 0.9)
    session: float = Field(default=3.0, ge=1)
    gap_s: float = Field(default=70.0, gt=0)
    hours: Hours = Hours.HUMAN
    weekend: float = Field(default=0.8, ge=0, le=3)


class Source(Strict):
    """Where an account's questions come from.

    Attributes:
        mode: See `Items`.
        pool: Size of the pool or data set, lowest and highest over accounts.
        zipf: Exponent of the popularity law.
        fresh: Share of questions that are new nevertheless.
        samples: How many times a sweep asks each item in a row.
        shared: Whose pool it is: one `account`, one `group`, or the `world`'s (a public benchmark).
    """

    mode: Items = Items.FRESH
    pool: Span = (50, 400)
    zipf: float = Field(default=1.0, ge=0.1, le=3)
    fresh: Share = 0.5
    samples: tuple[Count, Count] = (1, 1)
    shared: Literal["account", "group", "world"] = "account"


class Group(Strict):
    """Accounts that belong together for an innocent reason: a class, a company, a vendor's customers.

    Attributes:
        size: Accounts in a group, lowest and highest.
        share: What they have in common, out of payment, network, template, domain, created, client, region.
    """

    size: tuple[Count, Count] = (2, 2)
    share: tuple[Shareable, ...] = ()


class Interface(Strict):
    """What is asked of the interface (the third axis of arXiv 2606.25059).

    Attributes:
        surfaces: Where the calls arrive, with weights.
        models: Which model class is asked, with weights: large, mini, reason.
        temperature: Values in use; null leaves it out.
        top_p: Values in use.
        max_tokens: Values in use.
        choices: Values of `n` in use.
        logprobs: Share of accounts that ask for log-probabilities.
        effort: Values of the reasoning effort in use.
        response_format: Values in use.
        tools: Tool definitions per call, lowest and highest.
        history: Messages before the last one, lowest and highest (beside those of the conversation itself).
        context_tokens: Median of input tokens beside system text and prompt: files, images, tool results.
        stream: Share of accounts that stream.
        system: Share of accounts that send the system text their kind of traffic has.
    """

    surfaces: Annotated[dict[str, float], AfterValidator(weighted("surface"))] = {"api": 1.0}
    models: Annotated[dict[str, float], AfterValidator(weighted("model"))] = {
        "large": 60,
        "mini": 30,
        "reason": 10,
    }
    temperature: tuple[float | None, ...] = (None, None, 0.0, 0.2, 0.7, 1.0)
    top_p: tuple[float | None, ...] = (None, None, None, 0.9, 0.95)
    max_tokens: tuple[int | None, ...] = (None, 512, 1024, 2048, 4096)
    choices: tuple[int, ...] = (1,)
    logprobs: Share = 0.0
    effort: tuple[str | None, ...] = (None,)
    response_format: tuple[str | None, ...] = (None, None, None, "json_object")
    tools: tuple[int, int] = (0, 0)
    history: tuple[int, int] = (0, 0)
    context_tokens: float = Field(default=0.0, ge=0)
    stream: Share = 0.5
    system: Share = 1.0


class Registration(Strict):
    """How accounts sign up.

    Attributes:
        organization: Share of organization accounts.
        programmes: Programme weights.
        domains: Kind of e-mail address: public, company, university.
        verified: Share with a verified identity.
        new: Share created inside the simulated period.
        countries: Country weights; empty draws from the world's customers.
        languages: Language weights; empty follows the country.
        abroad: Share whose phone and bill come from another country than they do.
        closed: Share of accounts closed in the period, for whatever reason.
    """

    organization: Share = 0.1
    programmes: Annotated[dict[str, float], AfterValidator(weighted("programme"))] = {
        "standard": 90,
        "education": 5,
        "startup": 4,
        "security_research": 0.5,
        "enterprise": 0.5,
    }
    domains: Annotated[dict[str, float], AfterValidator(weighted("domain"))] = {"public": 1.0}
    verified: Share = 0.5
    new: Share = 0.28
    countries: Annotated[dict[str, float], AfterValidator(weighted("country", may_be_empty=True))] = {}
    languages: Annotated[dict[str, float], AfterValidator(weighted("language", may_be_empty=True))] = {}
    abroad: Share = 0.05
    closed: Share = 0.035


class Customers(Strict):
    """Ordinary customers of one archetype.

    Attributes:
        accounts: How many.
        demand: How much they ask and when.
        source: Where their questions come from.
        group: What some of them share for an innocent reason.
        interface: How they use the interface.
        registration: How they signed up.
        text: Kinds of text, with weights.
        text_by: Whether each `request` draws a kind (a conversation keeps it) or each `account` has one.
        networks: How they connect, with weights.
        clients: Client libraries on the API surface, with weights; empty draws what is usual.
        conversation_ids: Share that passes conversation ids.
        user_ids: Share that passes ids of its own users.
        authorization: Purpose of a recorded permission; empty for none.
        authorized: Share of them (whole groups) that has it.
    """

    accounts: int = Field(ge=0)
    demand: Demand = Demand()
    source: Source = Source()
    group: Group = Group()
    interface: Interface = Interface()
    registration: Registration = Registration()
    text: Texts
    text_by: Literal["request", "account"] = "request"
    networks: Annotated[dict[str, float], AfterValidator(weighted("network"))] = {
        "home": 70,
        "mobile": 20,
        "vpn": 5,
        "cafe": 5,
    }
    clients: Annotated[dict[str, float], AfterValidator(weighted("library", may_be_empty=True))] = {}
    conversation_ids: Share = 0.3
    user_ids: Share = 0.0
    authorization: Annotated[str, AfterValidator(known("purpose"))] = ""
    authorized: Share = 1.0
