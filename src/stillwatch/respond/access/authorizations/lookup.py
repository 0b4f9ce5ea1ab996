"""What is permitted to one account, on file or on record."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc
from sqlalchemy import Connection

from stillwatch.detect.logs import read_accounts
from stillwatch.detect.logs.authorizations import read_authorizations
from stillwatch.domain.authorizations import Authorization
from stillwatch.errors import InputError
from stillwatch.respond.access.authorizations.reading import about_account
from stillwatch.respond.access.authorizations.record import RecordedAuthorization, State, state_on

Found = list[tuple[Authorization, State, RecordedAuthorization | None]]


class AccountRow(NamedTuple):
    """By what permissions name an account."""

    account_id: str
    recorded: str | None = None
    email_domain: str | None = None


def on_row(account_id: str, accounts: str | None) -> AccountRow:
    """Return what the accounts table says about an account.

    Args:
        account_id: The account.
        accounts: The accounts table; None knows only the id.

    Raises:
        InputError: the table does not hold the account.
    """
    if accounts is None:
        return AccountRow(account_id)
    table = read_accounts(accounts)
    rows = table.filter(pc.equal(table.column("account_id"), account_id)).to_pylist()
    if not rows:
        raise InputError(f"{accounts} does not hold {account_id}", hint="check the account's id")
    return AccountRow(account_id, rows[0]["authorization"], rows[0]["email_domain"])


def in_file(row: AccountRow, file: Path, day: date) -> Found:
    """Return the permissions in a file that speak of an account, in the file's order."""
    return [
        (each, state_on(each, day), None)
        for each in read_authorizations(file)
        if each.names_account(row.account_id, recorded=row.recorded, email_domain=row.email_domain)
    ]


def in_store(connection: Connection, row: AccountRow, day: date) -> Found:
    """Return the permissions on record that speak of an account. A revoked one is revoked on every day."""
    found = about_account(connection, row.account_id, recorded_as=row.recorded, email_domain=row.email_domain)
    return [
        (
            each.authorization,
            State.REVOKED if each.revoked_at is not None else state_on(each.authorization, day),
            each,
        )
        for each in found
    ]
