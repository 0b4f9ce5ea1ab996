"""Accounts as columns: everything about a customer that stays, drawn from keys."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.lab.simulation import chance, clients
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.customers import Group, Interface, Registration
from stillwatch.lab.simulation.names import DOMAINS, MODELS, PROGRAMMES, SURFACES, names_of
from stillwatch.lab.simulation.places import CODES, COUNTRIES, LANGUAGES

DAY_US = 86_400_000_000
FOREVER = np.int64(2**62)
CLOSE_REASONS = (
    "user_request",
    "payment_failure",
    "terms_violation",
    "suspected_fraud",
    "inactivity",
    "mistaken_ban",
)
_CLOSE_WEIGHTS = (34, 30, 8, 12, 10, 6)
_BINS = 260  # card issuers of the simulated world, Zipf-like


@dataclass(slots=True)
class Accounts:
    """Accounts of one kind, column by column; every array has one entry per account.

    Attributes:
        key: Chance of everything that is the account's own.
        person: Key of the human or company behind it; equal in every lab where it is a customer.
        group: Key of the group it belongs to; its own key where there is none.
        owner: Key of the template and product it uses.
        created: Creation, microseconds since 1970.
        closed: Closing, or `FOREVER`.
        close_reason: Index into `CLOSE_REASONS`.
        country, billing, phone: Indices into `COUNTRIES`.
        language: Index into `LANGUAGES`.
        organization, verified: Booleans.
        programme, domain_kind: Indices.
        domain, card, issuer: Keys of the e-mail domain, the payment card and its issuer.
        surface, model: Indices.
        library: Index into the client libraries; `client` the installation's key; `frozen` never upgrades.
        network_kind, network, pool: See `networks.Route`.
        temperature, top_p, max_tokens: NaN where left out.
        choices, logprobs, effort, response_format, stream, system: Request parameters; the texts as indices.
        tools, history: Per call.
        context: Median of further input tokens.
    """

    key: Keys
    person: Keys
    group: Keys
    owner: Keys
    created: Indices
    closed: Indices
    close_reason: Indices
    country: Indices
    billing: Indices
    phone: Indices
    language: Indices
    organization: npt.NDArray[np.bool_]
    verified: npt.NDArray[np.bool_]
    programme: Indices
    domain_kind: Indices
    domain: Keys
    card: Keys
    issuer: Keys
    surface: Indices
    model: Indices
    library: Indices
    client: Keys
    frozen: npt.NDArray[np.bool_]
    network_kind: npt.NDArray[np.int8]
    network: Keys
    pool: Indices
    temperature: Floats
    top_p: Floats
    max_tokens: Floats
    choices: Indices
    logprobs: npt.NDArray[np.bool_]
    effort: npt.NDArray[np.object_]
    response_format: npt.NDArray[np.object_]
    stream: npt.NDArray[np.bool_]
    system: npt.NDArray[np.bool_]
    tools: Indices
    history: Indices
    context: Floats

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.key)


class Plan(NamedTuple):
    """What is needed to draw accounts."""

    interface: Interface
    registration: Registration
    group: Group
    networks: dict[str, float]
    clients: dict[str, float]
    start_us: int
    days: int


def concatenate(parts: Sequence[Accounts]) -> Accounts:
    """Put accounts of several kinds under each other."""
    return Accounts(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Accounts))
    )


def draw_accounts(keys: Keys, persons: Keys, groups: Keys, plan: Plan) -> Accounts:
    """Draw accounts from their keys.

    Args:
        keys: `(n,)` one key per account.
        persons: `(n,)` the human or company behind each.
        groups: `(n,)` equal keys for one class, company or vendor.
        plan: The archetype's settings.
    """
    shared = plan.group.share
    line = groups if "network" in shared else persons
    owner = groups if "template" in shared else persons
    client = groups if "client" in shared else persons
    created, closed, reason = _lifetimes(keys, groups if "created" in shared else keys, plan)
    columns = _registration(keys, persons, groups, plan) | _interface(keys, line, owner, client, plan)
    drawn = Accounts(
        key=keys, person=persons, group=groups, owner=owner, created=created, closed=closed, close_reason=reason,
        client=client, frozen=np.zeros(len(keys), bool), **columns,
    )  # fmt: skip
    # Several columns start as one array; a campaign changes them one by one.
    return Accounts(*(np.array(getattr(drawn, field.name)) for field in fields(Accounts)))


def _registration(keys: Keys, persons: Keys, groups: Keys, plan: Plan) -> dict[str, Any]:
    form, shared = plan.registration, plan.group.share
    country = _countries(groups if "region" in shared else persons, form)
    abroad = chance.uniform(persons, chance.salt("abroad")) < form.abroad
    elsewhere = _countries(chance.mix(persons, 99), Registration())
    card = groups if "payment" in shared else persons
    return {
        "country": country,
        "billing": np.where(abroad, elsewhere, country),
        "phone": np.where(chance.uniform(keys, chance.salt("phone")) < form.abroad / 2, elsewhere, country),
        "language": _languages(persons, country, form),
        "organization": chance.uniform(persons, chance.salt("organization")) < form.organization,
        "verified": chance.uniform(keys, chance.salt("verified")) < form.verified,
        "programme": _named(keys, "programme", form.programmes, PROGRAMMES),
        "domain_kind": _named(persons, "domain", form.domains, DOMAINS),
        "domain": groups if "domain" in shared else persons,
        "card": chance.mix(card, chance.salt("card")),
        "issuer": chance.zipf_rank(card, chance.salt("issuer"), _BINS, 0.8).astype(np.uint64),
    }


def _interface(keys: Keys, line: Keys, owner: Keys, client: Keys, plan: Plan) -> dict[str, Any]:
    face = plan.interface
    surface = _named(owner, "surface", face.surfaces, SURFACES)
    return {
        "surface": surface,
        "model": _named(owner, "model", face.models, MODELS),
        "library": _libraries(surface, client, plan.clients),
        "network_kind": _named(line, "network", plan.networks, names_of("network")).astype(np.int8),
        "network": line,
        "pool": 1 + chance.zipf_rank(keys, chance.salt("pool"), 12, 1.1),
        "temperature": _palette(owner, "temperature", face.temperature),
        "top_p": _palette(owner, "top_p", face.top_p),
        "max_tokens": _palette(owner, "max_tokens", face.max_tokens),
        "choices": np.array(face.choices)[chance.pick(owner, chance.salt("choices"), len(face.choices))],
        "logprobs": chance.uniform(owner, chance.salt("logprobs")) < face.logprobs,
        "effort": _texts(owner, "effort", face.effort),
        "response_format": _texts(owner, "format", face.response_format),
        "stream": chance.uniform(owner, chance.salt("stream")) < face.stream,
        "system": chance.uniform(owner, chance.salt("system")) < face.system,
        "tools": _between(owner, "tools", face.tools),
        "history": _between(owner, "history", face.history),
        "context": face.context_tokens * chance.log_normal(owner, chance.salt("context"), 1.0, 0.7),
    }


def _lifetimes(keys: Keys, cohort: Keys, plan: Plan) -> tuple[Indices, Indices, Indices]:
    form, end = plan.registration, plan.start_us + plan.days * DAY_US
    new = chance.uniform(cohort, chance.salt("new")) < form.new
    # The young are many: a growing service has an exponential age distribution, here with a mean of eleven months.
    age = -330.0 * np.log(1.0 - chance.uniform(cohort, chance.salt("age")))
    # Groups that sign up together do so while there is still something to see.
    latest = plan.days * (0.9 if cohort is keys else 0.35)
    since = np.where(new, -(chance.uniform(cohort, chance.salt("day")) ** 1.3) * latest, age)
    jitter = chance.uniform(keys, chance.salt("hour")) * (2.0 if cohort is not keys else 0.5)
    created = plan.start_us - ((since - jitter) * DAY_US).astype(np.int64)
    closes = chance.uniform(keys, chance.salt("closes")) < form.closed
    when = np.maximum(created, plan.start_us) + (
        chance.uniform(keys, chance.salt("closing")) * (end - np.maximum(created, plan.start_us))
    ).astype(np.int64)
    reason = chance.pick_weighted(keys, chance.salt("why"), _CLOSE_WEIGHTS)
    return created, np.where(closes, when, FOREVER), reason


def _countries(keys: Keys, form: Registration) -> Indices:
    weights = [
        form.countries.get(country.code, 0.0) if form.countries else country.share for country in COUNTRIES
    ]
    return chance.pick_weighted(keys, chance.salt("country"), weights)


def _languages(keys: Keys, country: Indices, form: Registration) -> Indices:
    if form.languages:
        return _named(keys, "language", form.languages, LANGUAGES)
    drawn = np.zeros(len(keys), dtype=np.int64)
    for index in np.unique(country):
        rows = np.flatnonzero(country == index)
        drawn[rows] = _named(keys[rows], "language", COUNTRIES[index].languages, LANGUAGES)
    return drawn


def _libraries(surface: Indices, client: Keys, wanted: dict[str, float]) -> Indices:
    drawn = np.zeros(len(client), dtype=np.int64)
    for index in np.unique(surface):
        rows = np.flatnonzero(surface == index)
        if wanted and SURFACES[index] == "api":
            drawn[rows] = _named(client[rows], "library", wanted, names_of("library"))
        else:
            drawn[rows] = clients.choose_libraries(SURFACES[index], client[rows])
    return drawn


def _named(keys: Keys, by: str, weights: dict[str, float], names: Sequence[str]) -> Indices:
    rows = np.array([names.index(name) for name in weights], dtype=np.int64)
    return rows[chance.pick_weighted(keys, chance.salt(by), list(weights.values()))]


def _palette(keys: Keys, by: str, values: Sequence[float | None]) -> Floats:
    table = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return table[chance.pick(keys, chance.salt(by), len(table))]


def _texts(keys: Keys, by: str, values: Sequence[str | None]) -> npt.NDArray[np.object_]:
    table = np.empty(len(values), dtype=np.object_)
    table[:] = values
    return np.asarray(table[chance.pick(keys, chance.salt(by), len(table))], dtype=np.object_)


def _between(keys: Keys, by: str, span: tuple[int, int]) -> Indices:
    return span[0] + chance.pick(keys, chance.salt(by), span[1] - span[0] + 1)


def country_index(code: str) -> int:
    """Find a country by its code."""
    return CODES.index(code)
