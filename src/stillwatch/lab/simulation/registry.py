"""What the provider knows about its accounts, and the truth that it does not know."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.domain.requests import ACCOUNTS, TIME_TYPE
from stillwatch.lab.simulation import chance
from stillwatch.lab.simulation.accounts import CLOSE_REASONS, FOREVER, Accounts
from stillwatch.lab.simulation.chance import Indices, Keys
from stillwatch.lab.simulation.columns import identifiers
from stillwatch.lab.simulation.grammar import TextKeys, load_grammar
from stillwatch.lab.simulation.names import PROGRAMMES
from stillwatch.lab.simulation.places import CODES
from stillwatch.lab.simulation.scenario import Scenario

if TYPE_CHECKING:
    from stillwatch.lab.simulation.running import World

# Reserved names (RFC 2606), popular ones first.
_PUBLIC = (
    "mailhub",
    "postbox",
    "quickmail",
    "inboxly",
    "netpost",
    "letterbird",
    "mailpoint",
    "swiftpost",
    "homepost",
    "brevmail",
)
_MISSING = 0.02  # share of registration fields that a provider never got


def accounts_table(world: "World", scenario: Scenario) -> pa.Table:
    """Write every account as the provider has it on file."""
    everybody = world.lab.accounts
    ends = (
        int(everybody.created.max(initial=0))
        if not scenario.days
        else world.lab.start_us + scenario.days * 86_400_000_000
    )
    closed = everybody.closed <= min(ends, int(FOREVER) - 1)
    codes = pa.array(CODES)
    columns = {
        "account_id": world.lab.account_ids,
        "created_at": pa.array(everybody.created).cast(TIME_TYPE),
        "account_type": pa.array(["individual", "organization"]).take(
            pa.array(everybody.organization.astype(np.int64))
        ),
        "programme": pa.array(PROGRAMMES).take(pa.array(everybody.programme)),
        "email_domain": _domains(everybody),
        "payment_fingerprint": identifiers(everybody.card, "", 24),
        "payment_bin": _issuers(everybody),
        "billing_country": _mostly(codes.take(pa.array(everybody.billing)), everybody.key, "billing"),
        "phone_country": _mostly(codes.take(pa.array(everybody.phone)), everybody.key, "phone"),
        "verified": pa.array(everybody.verified),
        "closed_at": pa.array(everybody.closed, mask=~closed).cast(TIME_TYPE),
        "close_reason": pc.if_else(
            pa.array(closed), pa.array(_reasons()).take(pa.array(everybody.close_reason)), None
        ),
        "authorization": pa.array(_authorization_ids(world), pa.string()),
    }
    return pa.table([columns[field.name] for field in ACCOUNTS], schema=ACCOUNTS)


def truth_columns(world: "World") -> tuple[pa.Array, pa.Array, pa.Array]:
    """Give label, campaign and archetype of every account."""
    label: list[str] = []
    campaign: list[str | None] = []
    archetype: list[str] = []
    for crowd in world.crowds:
        label += ["benign"] * len(crowd.accounts)
        campaign += [None] * len(crowd.accounts)
        archetype += [crowd.name] * len(crowd.accounts)
    for operation in world.operations:
        label += [operation.spec.label] * len(operation.accounts)
        campaign += [operation.campaign_id] * len(operation.accounts)
        archetype += [operation.spec.like or operation.spec.name] * len(operation.accounts)
    return pa.array(label, pa.string()), pa.array(campaign, pa.string()), pa.array(archetype, pa.string())


def authorizations(world: "World", scenario: Scenario, seen: Indices) -> list[dict[str, Any]]:
    """List the permissions that the lab has given, as `stillwatch scan --authorizations` reads them.

    Args:
        world: The lab.
        scenario: The scenario, for the dates.
        seen: Positions of the accounts that made requests.
    """
    names = _authorization_ids(world)
    ids = world.lab.account_ids.to_pylist()
    covered: dict[str, list[str]] = {}
    for position in seen.tolist():
        if names[position] is not None:
            covered.setdefault(str(names[position]), []).append(ids[position])
    return [_permission(name, sorted(covered[name]), scenario) for name in sorted(covered)]


def _permission(name: str, account_ids: list[str], scenario: Scenario) -> dict[str, Any]:
    days = int(chance.pick(np.array([chance.salt(name)], np.uint64), 1, 300)[0])
    return {
        "authorization_id": name.upper().replace(":", "-").replace("_", "-"),
        "purpose": name.partition(":")[0],
        "account_ids": account_ids,
        "starts_on": scenario.start - timedelta(days=30 + days),
        "ends_on": scenario.start + timedelta(days=scenario.days + 30 + days),
        "approved_by": "partnerships",
    }


def _authorization_ids(world: "World") -> list[str | None]:
    names: list[str | None] = [None] * len(world.lab.accounts)
    for crowd in world.crowds:
        if not crowd.spec.authorization:
            continue
        group = crowd.accounts.group
        granted = chance.uniform(group, chance.salt("authorized")) < crowd.spec.authorized
        numbers = chance.mix(group, chance.salt("permission"))
        for offset in np.flatnonzero(granted).tolist():
            names[crowd.first + offset] = f"{crowd.spec.authorization}:{int(numbers[offset]) & 0xFFFFFF:06x}"
    return names


def _domains(everybody: Accounts) -> pa.Array:
    public = chance.zipf_rank(everybody.person, chance.salt("mail"), len(_PUBLIC), 1.2)
    common = pa.array([f"{name}.example" for name in _PUBLIC]).take(pa.array(public))
    keys = TextKeys(everybody.domain, everybody.domain, everybody.domain)
    grammar = load_grammar("registration")
    own = grammar.expand("company_domain", keys)
    school = grammar.expand("university_domain", keys)
    kind = everybody.domain_kind
    return pc.if_else(pa.array(kind == 0), common, pc.if_else(pa.array(kind == 1), own, school))


def _issuers(everybody: Accounts) -> pa.Array:
    number = 400_000 + chance.pick(everybody.issuer, chance.salt("issuer number"), 160_000)
    return _mostly(pa.array(number).cast(pa.string()), everybody.key, "bin")


def _mostly(values: pa.Array, keys: Keys, name: str) -> pa.Array:
    there = chance.uniform(keys, chance.salt("missing", name)) >= _MISSING
    return pc.if_else(pa.array(there), values, pa.scalar(None, values.type))


def _reasons() -> list[str]:
    # The provider does not know that a ban was a mistake until somebody complains.
    return [reason if reason != "mistaken_ban" else "suspected_fraud" for reason in CLOSE_REASONS]
