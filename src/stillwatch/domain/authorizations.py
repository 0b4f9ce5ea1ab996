"""Recorded permissions: who may do at scale what would otherwise look like distillation or resale."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from stillwatch.domain.record import Record

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text that says something."""


class Purpose(StrEnum):
    """What is permitted."""

    LICENSED_DISTILLATION = "licensed_distillation"
    EVALUATION = "evaluation"
    RESEARCH = "research"
    CONTRACTED_RESALE = "contracted_resale"


class Authorization(Record):
    """One recorded permission, with its scope and its end.

    Attributes:
        authorization_id: id in the provider's own records.
        purpose: what is permitted.
        account_ids: accounts that it covers.
        organization: organization that it covers, as the account table's `authorization` or e-mail domain names it.
        email_domain: accounts with addresses in this domain are covered.
        models: models that may be used; none named means every model.
        capabilities: capabilities that may be asked for; none named means every capability.
        max_requests: requests that are permitted over the whole span; None means without limit.
        starts_on: first day (UTC).
        ends_on: last day (UTC), inclusive. Every permission ends.
        approved_by: who said so.
        approved_on: when, as a day (UTC); None in files that do not say.
    """

    authorization_id: Name
    purpose: Purpose
    account_ids: tuple[Name, ...] = ()
    organization: Name | None = None
    email_domain: Name | None = None
    models: tuple[Name, ...] = ()
    capabilities: tuple[Name, ...] = ()
    max_requests: int | None = Field(default=None, gt=0)
    starts_on: date
    ends_on: date
    approved_by: Name
    approved_on: date | None = None

    @model_validator(mode="after")
    def _has_scope_and_span(self) -> Self:
        """Refuse a permission for nobody and one that ends before it starts."""
        if not (self.account_ids or self.organization or self.email_domain):
            raise ValueError("one of account_ids, organization and email_domain must be given")
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on lies before starts_on")
        return self

    def is_in_date(self, day: date) -> bool:
        """Say whether the permission holds on a day."""
        return self.starts_on <= day <= self.ends_on

    def names_account(
        self, account_id: str, *, recorded: str | None = None, email_domain: str | None = None
    ) -> bool:
        """Say whether the permission speaks of an account; dates and scope are not looked at.

        Args:
            account_id: The account.
            recorded: The account table's `authorization`: this permission's id, or `purpose:organization`.
            email_domain: The account's e-mail domain.
        """
        organization = (recorded or "").partition(":")[2]
        return (
            account_id in self.account_ids
            or (self.organization is not None and self.organization in {organization, email_domain})
            or (self.email_domain is not None and self.email_domain == email_domain)
            or recorded == self.authorization_id
        )
