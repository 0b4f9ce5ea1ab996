"""Set up campaigns: an operator's seats, the accounts that hold them through bans, and what those share."""

from dataclasses import dataclass

import numpy as np

from stillwatch.lab.simulation import chance, networks
from stillwatch.lab.simulation.accounts import DAY_US, FOREVER, Accounts, Plan, draw_accounts
from stillwatch.lab.simulation.campaigns import Campaign
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.clients import choose_libraries, library_index
from stillwatch.lab.simulation.customers import Group

_REUSED = 0.6  # share of identities that an operator uses at every lab; unpublished, a guess
_ADDRESSES = {
    "own": networks.Kind.HOME,
    "shared": networks.Kind.SHARED,
    "blocks": networks.Kind.BLOCKS,
    "rotating": networks.Kind.ROTATING,
    "vpn": networks.Kind.VPN,
    "cloud": networks.Kind.CLOUD,
}


@dataclass(slots=True)
class Operation:
    """A campaign against one lab, ready to run.

    Attributes:
        spec: Its settings, already scaled.
        campaign_id: Its name in the truth.
        number: Its position among the lab's campaigns.
        accounts: Its accounts, ordered by seat and time.
        first: Position of its first account in the lab's accounts.
        seat_start: `(seats + 1,)` where each seat's accounts begin.
        taken_over: `(n,)` when each account goes to work.
        given_up: `(n,)` when it stops.
        key: Chance of the operation at this lab.
        operator: Chance of everything the operator has in common at all labs.
        extraction: `(n,)` share of extraction per account, for resale.
        asked: Prompts used so far: where it stands in its prompt set.
        sent: Calls so far, against the query budget.
    """

    spec: Campaign
    campaign_id: str
    number: int
    accounts: Accounts
    first: int
    seat_start: Indices
    taken_over: Indices
    given_up: Indices
    key: int
    operator: int
    extraction: Floats
    asked: int = 0
    sent: int = 0


def set_up(
    spec: Campaign,
    campaign_id: str,
    number: int,
    first: int,
    *,
    lab_key: int,
    world_key: int,
    start_us: int,
    days: int,
) -> Operation:
    """Create a campaign's accounts: `active` seats, each held by one account after another.

    Args:
        spec: The settings, already scaled.
        campaign_id: Its name in the truth.
        number: Its position among the lab's campaigns.
        first: Position of its first account in the lab's accounts.
        lab_key: The lab's chance.
        world_key: What all labs have in common: an operator is the same everywhere.
        start_us: First instant of the scenario.
        days: Length of the scenario.
    """
    key = chance.salt(lab_key, spec.name)
    operator = chance.salt(world_key, spec.operator or spec.name)
    seats, begin, end = _succession(spec, key, start_us, days)
    keys = chance.key_range(0, len(seats), chance.salt(key, "accounts"))
    plan = Plan(spec.interface, spec.registration, Group(), {"home": 1.0}, {}, start_us, days)
    # An identity costs money, so an operator registers many of them at every lab that it attacks.
    everywhere = chance.key_range(0, len(seats), chance.salt(operator, "identities"))
    reused = chance.uniform(everywhere, chance.salt("reused")) < _REUSED
    accounts = draw_accounts(keys, np.where(reused, everywhere, keys), keys, plan)
    _equip(accounts, spec, operator)
    _register(accounts, spec, operator)
    accounts.created[:] = _creation(spec, keys, begin, start_us, key)
    _close(accounts, spec, seats, end, start_us + days * DAY_US)
    low, high = spec.extraction
    share = low + (high - low) * chance.uniform(keys, chance.salt("extraction"))
    starts = np.searchsorted(seats, np.arange(spec.active + 1))
    return Operation(spec, campaign_id, number, accounts, first, starts, begin, end, key, operator, share)


def _succession(spec: Campaign, key: int, start_us: int, days: int) -> tuple[Indices, Indices, Indices]:
    begin = start_us + spec.start_day * DAY_US
    end = start_us + min(spec.end_day or days, days) * DAY_US
    bans = chance.key_range(0, spec.accounts - spec.active, chance.salt(key, "bans"))
    seat = np.concatenate([np.arange(spec.active), chance.pick(bans, 1, spec.active)])
    when = begin + ((0.04 + 0.93 * chance.uniform(bans, 2)) * (end - begin)).astype(np.int64)
    when = np.concatenate([np.full(spec.active, begin), when])
    order = np.lexsort((when, seat))
    seat, when = seat[order], when[order]
    last = np.append(seat[1:] != seat[:-1], True)
    until = np.where(last, end, np.append(when[1:], end))
    rows = chance.key_range(0, len(seat), chance.salt(key, "delay"))
    delay = (chance.log_normal(rows, 3, spec.replacement_h, 0.7) * DAY_US / 24).astype(np.int64)
    first = np.append(True, seat[1:] != seat[:-1])
    # The first accounts do not all start in the same minute: a ramp over the first half day.
    ramp = (chance.uniform(rows, 4) * DAY_US / 2).astype(np.int64)
    return seat, np.where(first, when + ramp, np.minimum(when + delay, until - DAY_US // 48)), until


def _equip(accounts: Accounts, spec: Campaign, operator: int) -> None:
    infra, keys = spec.infrastructure, accounts.key
    accounts.network_kind[:] = _ADDRESSES[infra.addresses]
    if infra.addresses == "own":
        ways = (networks.Kind.HOME, networks.Kind.MOBILE, networks.Kind.CAFE)
        accounts.network_kind[:] = np.array(ways)[chance.pick_weighted(keys, chance.salt("way"), (80, 15, 5))]
    if infra.addresses in {"shared", "blocks"}:
        accounts.network[:] = operator
        accounts.pool[:] = infra.pool
    variant = chance.pick(keys, chance.salt("variant"), spec.variants).astype(np.uint64)
    accounts.owner[:] = chance.combine(variant, np.full(len(keys), operator, np.uint64))
    if infra.clients:
        program = chance.pick(keys, chance.salt("program"), infra.clients).astype(np.uint64)
        accounts.client[:] = chance.combine(program, np.full(len(keys), operator, np.uint64))
        on_api = accounts.surface == 0
        if infra.library:
            accounts.library[on_api] = library_index(infra.library)
        else:
            accounts.library[on_api] = choose_libraries("api", np.array([operator], np.uint64))[0]
    accounts.frozen[:] = infra.frozen


def _register(accounts: Accounts, spec: Campaign, operator: int) -> None:
    infra, keys = spec.infrastructure, accounts.key
    operator_keys = np.full(len(keys), operator, np.uint64)
    if infra.payment == "shared":
        card = chance.pick(keys, chance.salt("card"), infra.cards).astype(np.uint64)
        accounts.card[:] = chance.combine(card, operator_keys)
        accounts.issuer[:] = chance.zipf_rank(accounts.card, chance.salt("issuer"), 260, 0.8).astype(
            np.uint64
        )
    if infra.bins:
        issuer = chance.combine(
            chance.pick(keys, chance.salt("bin"), infra.bins).astype(np.uint64), operator_keys
        )
        some = chance.uniform(keys, chance.salt("some bins")) < 0.5
        drawn = chance.zipf_rank(issuer, chance.salt("issuer"), 260, 0.3).astype(np.uint64)
        accounts.issuer[:] = np.where(some, drawn, accounts.issuer)
    own = chance.uniform(keys, chance.salt("own domain")) < infra.own_domains
    accounts.domain_kind[own] = 1
    domain = chance.combine(chance.pick(keys, chance.salt("which"), 4).astype(np.uint64), operator_keys)
    accounts.domain[:] = np.where(own, domain, accounts.domain)


def _creation(spec: Campaign, keys: Keys, begin: Indices, start_us: int, key: int) -> Indices:
    infra = spec.infrastructure
    old = (begin - (20.0 - 330.0 * np.log(1.0 - chance.uniform(keys, chance.salt("age")))) * DAY_US).astype(
        np.int64
    )
    lead = chance.log_normal(keys, chance.salt("lead"), 0.1 if infra.created == "fresh" else 2.0, 1.0)
    fresh = begin - (lead * DAY_US).astype(np.int64) - DAY_US // 96
    if infra.created == "aged":
        return old
    if infra.created == "waves":
        span = int(begin.max()) - start_us + 25 * DAY_US
        starts = (
            start_us
            - 25 * DAY_US
            + (chance.uniform(chance.key_range(0, infra.waves, chance.salt(key, "waves")), 1) * span).astype(
                np.int64
            )
        )
        starts = np.sort(np.append(starts, start_us - 25 * DAY_US))
        wave = starts[np.searchsorted(starts, begin, side="right") - 1]
        fresh = np.minimum(
            wave + (chance.uniform(keys, 5) * DAY_US * 0.7).astype(np.int64), begin - DAY_US // 96
        )
    bought = chance.uniform(keys, chance.salt("bought")) < 0.22
    return np.where(bought, old, fresh)


def _close(accounts: Accounts, spec: Campaign, seats: Indices, end: Indices, last_us: int) -> None:
    final = np.append(seats[1:] != seats[:-1], True)
    later = chance.uniform(accounts.key, chance.salt("banned later")) < spec.banned_at_end
    accounts.closed[:] = np.where(
        final, np.where(later & (end + DAY_US < last_us), end + DAY_US, FOREVER), end
    )
    # Providers do not always know whom they close: a few bans are filed under another reason.
    filed = chance.pick_weighted(accounts.key, chance.salt("filed"), (0, 12, 26, 62, 0, 0))
    accounts.close_reason[:] = filed
