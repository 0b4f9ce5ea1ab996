"""GLEIF's golden copy as a register: who is who, who consolidates whom, and why a parent is not named.

GLEIF level 2 is about accounting consolidation, not about shares: a parent consolidates whom it controls, which
nearly always means more than half of the votes (IFRS 10), and percentages are rare. Fund relationships say who
manages whose money, not who owns whom, and are left out.
"""

from collections.abc import Set as AbstractSet
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.respond.access.ownership.sources.gleif_columns import (
    EXCEPTIONS,
    LEVEL_1,
    PERIODS,
    QUANTIFIERS,
    REASONS,
    RELATIONSHIPS,
    read_batches,
)
from stillwatch.respond.access.ownership.tables import (
    BRANCH,
    CONSOLIDATION,
    ENTITIES,
    GAPS,
    HOLDINGS,
    EntityKind,
    Way,
    is_lei,
)

_WAYS: Final = {
    "IS_DIRECTLY_CONSOLIDATED_BY": (Way.DIRECT, CONSOLIDATION),
    "IS_ULTIMATELY_CONSOLIDATED_BY": (Way.INDIRECT, CONSOLIDATION),
    "IS_INTERNATIONAL_BRANCH_OF": (Way.DIRECT, BRANCH),
}
_ENDED: Final = ["INACTIVE", "NULL"]
_WITHDRAWN: Final = ["DUPLICATE", "RETIRED", "ANNULLED", "CANCELLED", "TRANSFERRED", "PENDING_VALIDATION"]
_DIRECT_PARENT: Final = "DIRECT_ACCOUNTING_CONSOLIDATION_PARENT"
_GOVERNMENT: Final = "RESIDENT_GOVERNMENT_ENTITY"


class GleifRegister:
    """GLEIF's files on one day.

    Args:
        level_1: LEI-CDF file; without it no place is known.
        relationships: RR-CDF file.
        exceptions: Reporting exceptions.
        as_of: Relationships that ended before, or begin later, do not count.
    """

    def __init__(
        self,
        *,
        level_1: Path | None = None,
        relationships: Path | None = None,
        exceptions: Path | None = None,
        as_of: date,
    ) -> None:
        self._level_1 = level_1
        self._relationships = relationships
        self._exceptions = exceptions
        self._as_of = as_of

    @property
    def name(self) -> str:
        """What explanations call it."""
        return "GLEIF"

    @cached_property
    def holdings(self) -> pa.Table:
        """Schema `HOLDINGS`, from the relationship records."""
        if self._relationships is None:
            return HOLDINGS.empty_table()
        parts = [_holdings(batch, self._as_of) for batch in read_batches(self._relationships, RELATIONSHIPS)]
        return pa.concat_tables(parts) if parts else HOLDINGS.empty_table()

    @cached_property
    def gaps(self) -> pa.Table:
        """Schema `GAPS`, from the reporting exceptions.

        An exception about the ultimate parent of somebody whose direct parent is known is a question about that
        parent, and is left to the parent's own record.
        """
        if self._exceptions is None:
            return GAPS.empty_table()
        parts = [_gaps(batch) for batch in read_batches(self._exceptions, EXCEPTIONS)]
        if not parts:
            return GAPS.empty_table()
        every = pa.concat_tables(parts)
        has_parent = pc.is_in(every.column("subject"), value_set=self.holdings.column("subject").unique())
        about_direct = pc.equal(every.column("category"), _DIRECT_PARENT)
        return every.filter(pc.or_(pc.invert(has_parent), about_direct)).select(GAPS.names).cast(GAPS)

    def describe(self, entity_ids: AbstractSet[str]) -> pa.Table:
        """Return schema `ENTITIES`; the file is streamed, and only the wanted rows are kept."""
        if self._level_1 is None or not entity_ids:
            return ENTITIES.empty_table()
        wanted = pa.array(sorted(entity_ids), pa.string())
        kept = []
        for batch in read_batches(self._level_1, LEVEL_1):
            part = batch.filter(pc.is_in(batch.column("LEI"), value_set=wanted))
            if len(part):
                kept.append(_entities(part))
        return pa.concat_tables(kept) if kept else ENTITIES.empty_table()

    def find(self, identifier: str) -> str | None:
        """Take every well-formed LEI; whether level 1 has it shows when it is described."""
        lei = identifier.removeprefix("lei:").removeprefix("XI-LEI:").upper()
        return lei if is_lei(lei) else None


def _holdings(batch: pa.Table, as_of: date) -> pa.Table:
    """Turn relationship records into holdings."""
    kind = batch.column("Relationship.RelationshipType")
    counted = pc.is_in(kind, value_set=pa.array(list(_WAYS)))
    for column, ended in (
        ("Relationship.RelationshipStatus", _ENDED),
        ("Registration.RegistrationStatus", _WITHDRAWN),
    ):
        counted = pc.and_(counted, pc.invert(pc.is_in(batch.column(column), value_set=pa.array(ended))))
    batch = batch.filter(pc.and_(counted, _in_period(batch, as_of)))
    kinds = batch.column("Relationship.RelationshipType").to_pylist()
    shares = _shares(batch)
    low = [1.0 if _WAYS[kind][1] == BRANCH else share[0] for kind, share in zip(kinds, shares, strict=True)]
    high = [share[1] for share in shares]
    columns = (
        batch.column("Relationship.StartNode.NodeID"),
        batch.column("Relationship.EndNode.NodeID"),
        pa.array(low, pa.float64()),
        pa.array(high, pa.float64()),
        pa.array([_WAYS[kind][0].value for kind in kinds], pa.string()),
        pa.array([_WAYS[kind][1] for kind in kinds], pa.string()),
        pa.array(kinds, pa.string()),
    )
    table = pa.Table.from_arrays([_flat(column) for column in columns], names=HOLDINGS.names)
    named = pc.and_(pc.is_valid(table.column("subject")), pc.is_valid(table.column("owner")))
    return table.filter(named).cast(HOLDINGS)


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _in_period(batch: pa.Table, as_of: date) -> pa.ChunkedArray:
    """Flag the rows whose relationship period holds on the day; without a period nothing says that it does not."""
    day = as_of.isoformat()
    holds = pa.chunked_array([pa.repeat(True, len(batch))])
    for number in range(1, PERIODS + 1):
        about = pc.equal(batch.column(f"Relationship.Period.{number}.periodType"), "RELATIONSHIP_PERIOD")
        start = pc.utf8_slice_codeunits(batch.column(f"Relationship.Period.{number}.startDate"), 0, 10)
        end = pc.utf8_slice_codeunits(batch.column(f"Relationship.Period.{number}.endDate"), 0, 10)
        outside = pc.or_(_true(pc.greater(start, day)), _true(pc.less_equal(end, day)))
        holds = pc.and_(holds, pc.invert(pc.and_(_true(about), outside)))
    return holds


def _true(flags: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read what is not known as false."""
    return pc.fill_null(flags, False)


def _shares(batch: pa.Table) -> list[tuple[float, float]]:
    """Return the bounds of each row's percentage."""
    bounds = [(0.0, 1.0)] * len(batch)
    for number in range(QUANTIFIERS, 0, -1):
        prefix = f"Relationship.Quantifiers.{number}"
        amounts = batch.column(f"{prefix}.QuantifierAmount").to_pylist()
        units = batch.column(f"{prefix}.QuantifierUnits").to_pylist()
        for row, (amount, unit) in enumerate(zip(amounts, units, strict=True)):
            if amount is not None and unit == "PERCENTAGE":
                bounds[row] = _share_of(amount) or bounds[row]
    return bounds


def _share_of(amount: str) -> tuple[float, float] | None:
    """Read a percentage. Both `60` and `0.60` are in circulation, and 1.00 means everything.

    What is below 1 may be a fraction or a percentage, so that both are the bounds.
    """
    try:
        number = float(amount)
    except ValueError:
        return None
    if number == 1.0:
        return (1.0, 1.0)
    if 0.0 < number < 1.0:
        return (number / 100.0, number)
    return (number / 100.0, number / 100.0) if 1.0 < number <= 100.0 else None


def _gaps(batch: pa.Table) -> pa.Table:
    """Turn reporting exceptions into gaps, one for each reason, with their category."""
    parts = []
    for number in range(1, REASONS + 1):
        reason = batch.column(f"Exception.Reason.{number}")
        part = pa.table(
            {
                "subject": batch.column("LEI"),
                "reason": reason,
                "low": pa.nulls(len(batch), pa.float64()),
                "category": batch.column("Exception.Category"),
            }
        )
        parts.append(part.filter(pc.and_(pc.is_valid(reason), pc.is_valid(batch.column("LEI")))))
    return pa.concat_tables(parts)


def _entities(part: pa.Table) -> pa.Table:
    """Turn level 1 rows into entities."""
    country = part.column("Entity.HeadquartersAddress.Country")
    region = part.column("Entity.HeadquartersAddress.Region")
    belongs = _true(pc.equal(pc.utf8_slice_codeunits(region, 0, 2), country))
    government = _true(pc.equal(part.column("Entity.EntityCategory"), _GOVERNMENT))
    columns = (
        part.column("LEI"),
        part.column("Entity.LegalName"),
        pc.if_else(government, EntityKind.STATE.value, EntityKind.ENTITY.value),
        pc.if_else(belongs, region, country),
        part.column("Entity.LegalJurisdiction"),
        pa.nulls(len(part), pa.string()),
    )
    return pa.Table.from_arrays([_flat(column) for column in columns], names=ENTITIES.names).cast(ENTITIES)
