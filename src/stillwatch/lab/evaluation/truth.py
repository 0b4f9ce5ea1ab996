"""What is really true of each account and request: the tables that come with a labeled log set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError, MissingColumnsError

BENIGN = "benign"
RESALE = "resale"
TRUTH_COLUMNS = ("account_id", "label", "campaign_id", "archetype", "attack_fraction")
EXTRACTION_COLUMNS = ("request_id", "campaign_id")
EXTRACTION_FILE = "truth-extraction-requests.parquet"
REQUESTS_FOLDER = "requests"


@dataclass(frozen=True, slots=True)
class TrueAccount:
    """One account as the maker of the log set knows it.

    Args:
        account_id: The account.
        label: benign, distillation or resale.
        campaign_id: The campaign it works for; None for benign accounts.
        archetype: What kind of customer it is (course_cohort, pipeline, …).
        attack_fraction: Share of its requests that are extraction, 0 to 1.
    """

    account_id: str
    label: str
    campaign_id: str | None
    archetype: str
    attack_fraction: float

    @property
    def is_benign(self) -> bool:
        """An ordinary customer, flagged or not."""
        return self.label == BENIGN

    @property
    def is_extracting(self) -> bool:
        """A hit for distillation if flagged. Hostile accounts that extract nothing are neither hit nor false alarm."""
        return not self.is_benign and self.attack_fraction > 0


@dataclass(frozen=True)
class TrueCampaign:
    """The accounts of one operator, with the label the campaign deserves."""

    campaign_id: str
    label: str
    accounts: frozenset[str]


@dataclass(frozen=True)
class Truth:
    """The truth tables of one log set.

    Args:
        accounts: Every account by its id.
        extraction: Table (request_id, campaign_id) of the requests that are extraction; None when unknown.
    """

    accounts: Mapping[str, TrueAccount]
    extraction: pa.Table | None = field(default=None, repr=False)

    @cached_property
    def campaigns(self) -> tuple[TrueCampaign, ...]:
        """True campaigns, ordered by id."""
        members: dict[str, list[TrueAccount]] = defaultdict(list)
        for account in self.accounts.values():
            if account.campaign_id is not None and not account.is_benign:
                members[account.campaign_id].append(account)
        return tuple(_campaign(key, members[key]) for key in sorted(members))

    def benign(self) -> Iterable[TrueAccount]:
        """Every ordinary customer."""
        return (account for account in self.accounts.values() if account.is_benign)


def load_truth(truth: Path, extraction: Path | None = None) -> Truth:
    """Read truth.parquet and, where there is one, the table of extraction requests.

    Args:
        truth: truth.parquet, or the folder that holds it.
        extraction: truth-extraction-requests.parquet; None looks for it beside truth.

    Raises:
        InputError: A file is not there or is no Parquet.
        MissingColumnsError: A column is absent.
    """
    file = truth / "truth.parquet" if truth.is_dir() else truth
    rows = read_columns(file, TRUTH_COLUMNS).to_pylist()
    accounts = {row["account_id"]: _account(row) for row in rows}
    beside = file.parent / EXTRACTION_FILE
    chosen = extraction if extraction is not None else (beside if beside.is_file() else None)
    table = None if chosen is None else read_columns(chosen, EXTRACTION_COLUMNS)
    return Truth(accounts=accounts, extraction=table)


def logs_beside(truth: Path) -> Path | None:
    """The requests/ folder next to the truth file, if there is one."""
    folder = (truth if truth.is_dir() else truth.parent) / REQUESTS_FOLDER
    return folder if folder.is_dir() else None


def read_columns(file: Path, columns: tuple[str, ...]) -> pa.Table:
    """Read the named columns of one Parquet file, or say plainly why that cannot be done."""
    try:
        found = pq.read_schema(file).names
    except (OSError, pa.ArrowInvalid) as problem:
        raise InputError(
            f"cannot read {file}: {problem}", hint="give the path of a Parquet file"
        ) from problem
    missing = [name for name in columns if name not in found]
    if missing:
        raise MissingColumnsError(str(file), missing=missing, found=found)
    return pq.read_table(file, columns=list(columns))


def _account(row: Mapping[str, Any]) -> TrueAccount:
    return TrueAccount(
        account_id=row["account_id"],
        label=row["label"] or BENIGN,
        campaign_id=row["campaign_id"] or None,
        archetype=row["archetype"] or row["label"] or BENIGN,
        attack_fraction=row["attack_fraction"] or 0.0,
    )


def _campaign(campaign_id: str, members: list[TrueAccount]) -> TrueCampaign:
    labels = [account.label for account in members]
    majority = max(sorted(set(labels)), key=labels.count)
    return TrueCampaign(campaign_id, majority, frozenset(account.account_id for account in members))
