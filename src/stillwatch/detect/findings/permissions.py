"""Which accounts a recorded permission covers: authorized use is reported as authorized, never as a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from stillwatch.detect.logs import purpose_named
from stillwatch.domain.authorizations import Authorization
from stillwatch.domain.findings import AuthorizationNote, AuthorizationStatus

if TYPE_CHECKING:
    from stillwatch.detect.profiles.population import Population

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Usage:
    """What one account did, as far as a permission cares."""

    first_day: int
    last_day: int
    requests: int
    models: frozenset[str]

    def and_also(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(
            min(self.first_day, other.first_day),
            max(self.last_day, other.last_day),
            self.requests + other.requests,
            self.models | other.models,
        )


class Permissions:
    """Looks up what is permitted to whom.

    Args:
        accounts: The accounts table, whose `authorization` column names permissions; may be None.
        records: Permissions with scope and dates.
    """

    def __init__(self, accounts: pa.Table | None, records: Sequence[Authorization]) -> None:
        """Index the records by account, organization and domain."""
        self._records = list(records)
        self._named: dict[str, str] = {}
        self._domain: dict[str, str] = {}
        if accounts is not None:
            ids = accounts["account_id"].to_pylist()
            for name, index in (("authorization", self._named), ("email_domain", self._domain)):
                if name in accounts.schema.names:
                    values = accounts[name].to_pylist()
                    index.update({one: value for one, value in zip(ids, values, strict=True) if value})

    @property
    def any(self) -> bool:
        """Tell whether there is any permission at all."""
        return bool(self._records) or any(purpose_named(one) is not None for one in self._named.values())

    @property
    def named_accounts(self) -> frozenset[str]:
        """Return the accounts that permissions name, in the table or by id."""
        named = {account for account, text in self._named.items() if purpose_named(text) is not None}
        return frozenset(named.union(*(record.account_ids for record in self._records)))

    @property
    def touched_accounts(self) -> frozenset[str]:
        """Return the accounts that any permission touches, whatever it covers and until when."""
        organizations = {record.organization for record in self._records} - {None}
        domains = {record.email_domain for record in self._records} - {None} | organizations
        ids = {record.authorization_id for record in self._records}
        by_name = {
            account
            for account, text in self._named.items()
            if text in ids or text.partition(":")[2] in organizations
        }
        by_domain = {account for account, domain in self._domain.items() if domain in domains}
        return self.named_accounts | by_name | by_domain

    def notes(self, usage: Mapping[str, Usage]) -> dict[str, AuthorizationNote]:
        """Judge every account that a permission touches.

        Args:
            usage: What each account did.

        Returns:
            Account id -> note; accounts without a permission are absent.
        """
        return {
            account: note for account, did in usage.items() if (note := self._note(account, did)) is not None
        }

    def _note(self, account: str, did: Usage) -> AuthorizationNote | None:
        judged = [_judged(record, did) for record in self._records if self._touches(record, account)]
        if judged:  # of several permissions one that covers the use is enough
            return next((note for note in judged if note.status is AuthorizationStatus.IN_SCOPE), judged[-1])
        named = self._named.get(account)
        if purpose_named(named) is None or named is None:
            return None
        return AuthorizationNote(
            authorization_id=named,
            status=AuthorizationStatus.IN_SCOPE,
            sentence=f"The account table records {named}; no scope or end date is on file, so all of its use counts as covered.",
        )

    def _touches(self, record: Authorization, account: str) -> bool:
        return record.names_account(
            account, recorded=self._named.get(account), email_domain=self._domain.get(account)
        )


def _judged(record: Authorization, did: Usage) -> AuthorizationNote:
    first, last = EPOCH + timedelta(days=did.first_day), EPOCH + timedelta(days=did.last_day)
    status, why = AuthorizationStatus.IN_SCOPE, f"approved by {record.approved_by} until {record.ends_on}"
    if not (record.is_in_date(first) and record.is_in_date(last)):
        status = AuthorizationStatus.OUT_OF_DATE
        why = f"valid {record.starts_on} to {record.ends_on}, used {first} to {last}"
    elif record.models and not did.models <= set(record.models):
        status = AuthorizationStatus.OUT_OF_SCOPE
        why = f"covers {', '.join(record.models)}; {', '.join(sorted(did.models - set(record.models)))} was used too"
    elif record.max_requests is not None and did.requests > record.max_requests:
        status = AuthorizationStatus.OUT_OF_SCOPE
        why = f"covers {record.max_requests:,} requests; {did.requests:,} were made"
    purpose = record.purpose.value.replace("_", " ")
    return AuthorizationNote(
        authorization_id=record.authorization_id,
        status=status,
        sentence=f"{record.authorization_id} ({purpose}): {why}.",
    )


def usage_of(population: Population) -> dict[str, Usage]:
    """Collect what each account of a population did."""
    table = population.models
    used = zip(
        table["account"].astype(int).tolist(),
        table["day"].astype(int).tolist(),
        table["requests"].astype(int).tolist(),
        table["model"].astype(str).tolist(),
        strict=True,
    )
    out: dict[str, Usage] = {}
    for place, day, requests, model in used:
        account, one_day = (
            str(population.account_ids[place]),
            Usage(day, day, requests, frozenset({model} - {""})),
        )
        out[account] = out[account].and_also(one_day) if account in out else one_day
    return out
