"""What a scenario file may say: the labs, their ordinary customers, and the campaigns against them."""

from datetime import date
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stillwatch.lab.simulation.mistakes import ScenarioError, UnknownScenarioError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weights = Annotated[dict[str, float], Field(min_length=1)]
Span = Annotated[tuple[float, float], Field(description="lowest and highest value")]
LabName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


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


class Timing(StrEnum):
    """How a campaign spreads its calls over the day."""

    STEADY = "steady"
    BATCH = "batch"
    SYNCHRONIZED = "synchronized"
    OPERATOR = "operator"
    HUMAN = "human"


class Dispatch(StrEnum):
    """Which of its accounts a campaign uses for the next call."""

    ROUND_ROBIN = "round_robin"
    LEAST_RECENT = "least_recent"
    WEIGHTED = "weighted"
    STICKY = "sticky"
    RANDOM = "random"


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
    samples: tuple[int, int] = (1, 1)
    shared: str = Field(default="account", pattern="^(account|group|world)$")


class Group(Strict):
    """Accounts that belong together for an innocent reason: a class, a company, a vendor's customers.

    Attributes:
        size: Accounts in a group, lowest and highest.
        share: What they have in common, out of payment, network, template, domain, created, client, region.
    """

    size: tuple[int, int] = (2, 2)
    share: frozenset[str] = frozenset()


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

    surfaces: Weights = {"api": 1.0}
    models: Weights = {"large": 60, "mini": 30, "reason": 10}
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
    programmes: Weights = {"standard": 90, "education": 5, "startup": 4, "security_research": 0.5, "enterprise": 0.5}
    domains: Weights = {"public": 1.0}
    verified: Share = 0.5
    new: Share = 0.28
    countries: dict[str, float] = {}
    languages: dict[str, float] = {}
    abroad: Share = 0.05
    closed: Share = 0.035


class Customers(Strict):
    """Ordinary customers of one archetype."""

    accounts: int = Field(ge=0)
    demand: Demand = Demand()
    source: Source = Source()
    group: Group = Group()
    interface: Interface = Interface()
    registration: Registration = Registration()
    text: Weights
    text_by: str = Field(default="request", pattern="^(request|account)$")
    networks: Weights = {"home": 70, "mobile": 20, "vpn": 5, "cafe": 5}
    clients: dict[str, float] = {}
    conversation_ids: Share = 0.3
    user_ids: Share = 0.0
    authorization: str = ""


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

    payment: str = Field(default="own", pattern="^(own|shared)$")
    cards: int = Field(default=1, ge=1)
    bins: int = Field(default=0, ge=0)
    addresses: str = Field(default="own", pattern="^(own|shared|blocks|rotating|vpn|cloud)$")
    pool: int = Field(default=8, ge=1)
    clients: int = Field(default=0, ge=0)
    library: str = ""
    frozen: bool = False
    created: str = Field(default="waves", pattern="^(aged|waves|fresh)$")
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
    label: str = Field(default="distillation", pattern="^(distillation|resale)$")
    query_budget: int | None = Field(default=None, ge=1)
    data_budget: int | None = Field(default=None, ge=1)
    interface: Interface = Interface()
    accounts: int = Field(ge=1)
    active: int = Field(ge=1)
    rate: float | None = Field(default=None, gt=0)
    start_day: int = Field(default=1, ge=0)
    end_day: int | None = None
    replacement_h: float = Field(default=4.0, ge=0)
    banned_at_end: Share = 0.1
    dispatch: Dispatch = Dispatch.ROUND_ROBIN
    timing: Timing = Timing.STEADY
    jobs_per_day: int = Field(default=3, ge=1)
    job_h: float = Field(default=3.0, gt=0)
    recipe: Weights
    languages: Weights = {"en": 1.0}
    variants: int = Field(default=1, ge=1)
    variants_by: str = Field(default="request", pattern="^(account|request)$")
    cover: Share = 0.0
    cover_text: Weights = {"chat": 1.0}
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
            raise ValueError("a campaign needs a rate or a query_budget")  # noqa: TRY004 - pydantic wants it
        if self.active > self.accounts:
            raise ValueError("active accounts cannot be more than accounts")
        if self.label == "resale" and not self.users:
            raise ValueError("a resale campaign needs users")
        return self


class Scenario(Strict):
    """A whole simulated world.

    Attributes:
        name: Short name.
        description: One sentence for `--list`.
        start: First day (UTC).
        days: Length.
        release_day: Day on which the labs release a new model; none means never.
        labs: Names of the labs.
        shared_customers: Share of ordinary customers who are customers of every lab.
        customers: Ordinary customers by archetype.
        campaigns: Operations against the labs.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    description: str = ""
    start: date = date(2026, 3, 2)
    days: int = Field(ge=1, le=400)
    release_day: int | None = Field(default=None, ge=0)
    labs: tuple[LabName, ...] = ("lab",)
    shared_customers: Share = 0.15
    customers: dict[str, Customers] = {}
    campaigns: tuple[Campaign, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [campaign.name for campaign in self.campaigns]
        if len(set(names)) < len(names):
            raise ValueError("two campaigns have one name")
        unknown = {lab for campaign in self.campaigns for lab in campaign.labs} - set(self.labs)
        if unknown:
            raise ValueError(f"campaigns attack labs that are not in the scenario: {', '.join(sorted(unknown))}")
        return self


def scenario_names() -> tuple[str, ...]:
    """Name every packaged scenario."""
    folder = files("stillwatch.lab.simulation") / "scenarios"
    return tuple(sorted(entry.name.removesuffix(".yml") for entry in folder.iterdir() if entry.name.endswith(".yml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a packaged scenario by name, or one of your own by path.

    Raises:
        UnknownScenarioError: There is neither.
        ScenarioError: The file is not a valid scenario; the message names the field.
    """
    path = Path(name_or_path)
    packaged = files("stillwatch.lab.simulation") / "scenarios" / f"{name_or_path}.yml"
    if str(name_or_path) in scenario_names():
        return parse_scenario(packaged.read_text(encoding="utf-8"), source=str(name_or_path))
    if path.suffix in {".yml", ".yaml"} and path.is_file():
        return parse_scenario(_text_of(path), source=str(path))
    raise UnknownScenarioError(f"there is no scenario {name_or_path}")


def at_labs(scenario: Scenario, labs: tuple[str, ...]) -> Scenario:
    """Move a scenario to labs of other names; campaigns then attack all of them.

    Raises:
        ScenarioError: A name is not one, or stands there twice.
    """
    campaigns = [campaign.model_dump() | {"labs": ()} for campaign in scenario.campaigns]
    try:
        if len(set(labs)) < len(labs):
            raise ScenarioError(f"two labs have one name: {', '.join(labs)}")
        return Scenario.model_validate(scenario.model_dump() | {"labs": labs, "campaigns": campaigns})
    except ValidationError as error:
        raise ScenarioError(_first_mistakes(error)) from error


def parse_scenario(text: str, *, source: str) -> Scenario:
    """Read a scenario from YAML text, filling in packaged archetypes and adversaries.

    Args:
        text: The YAML.
        source: What to call it in messages.

    Raises:
        ScenarioError: The text is not a valid scenario.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{source} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ScenarioError(f"{source} must be a mapping of fields")
    try:
        return Scenario.model_validate(_filled_in(raw, source))
    except ValidationError as error:
        raise ScenarioError(f"{source}: {_first_mistakes(error)}") from error


def packaged_table(name: str) -> dict[str, Any]:
    """Read one of the packaged YAML tables beside the scenarios."""
    text = (files("stillwatch.lab.simulation") / f"{name}.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _filled_in(raw: dict[str, Any], source: str) -> dict[str, Any]:
    filled = dict(raw)
    archetypes, adversaries = packaged_table("archetypes"), packaged_table("adversaries")
    customers = raw.get("customers") or {}
    if not isinstance(customers, dict):
        raise ScenarioError(f"{source}: customers must be a mapping of archetypes")
    filled["customers"] = {
        name: _merged(archetypes.get(name, {}), {"accounts": value} if isinstance(value, int) else value or {})
        for name, value in customers.items()
    }
    campaigns = raw.get("campaigns") or []
    if not isinstance(campaigns, list) or not all(isinstance(entry, dict) for entry in campaigns):
        raise ScenarioError(f"{source}: campaigns must be a list of mappings")
    filled["campaigns"] = [_merged(_adversary(entry, adversaries, source), entry) for entry in campaigns]
    return filled


def _adversary(entry: dict[str, Any], adversaries: dict[str, Any], source: str) -> dict[str, Any]:
    like = entry.get("like", "")
    if like and like not in adversaries:
        raise ScenarioError(f"{source}: there is no adversary {like}; there are {', '.join(sorted(adversaries))}")
    return dict(adversaries[like]) if like else {}


# These are drawn from, so a scenario that names its own replaces them as a whole.
_WHOLE = frozenset({"text", "recipe", "languages", "countries", "surfaces", "models", "networks", "programmes",
                    "domains", "clients", "cover_text"})  # fmt: skip


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = value if key in _WHOLE else _merged(base.get(key), value)
    return merged


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error


def _first_mistakes(error: ValidationError) -> str:
    lines = [
        f"{'.'.join(map(str, mistake['loc'])) or 'scenario'}: {mistake['msg']}" for mistake in error.errors()[:5]
    ]
    return "; ".join(lines)
