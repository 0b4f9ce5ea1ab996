"""The tables that every source of ownership data is brought to, and what a source must be able to do."""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

EXCLUSIVE_STEP: Final = 1e-8
"""What "more than" adds to a lower bound: less than one share in a hundred million, more than rounding."""


LEI_LENGTH: Final = 20
"""Characters of a Legal Entity Identifier (ISO 17442)."""


class Way(StrEnum):
    """How a share is held, as its source says."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class EntityKind(StrEnum):
    """What an owner is. An arrangement (a trust, a joint holding) is no company and has no seat of its own."""

    ENTITY = "entity"
    ARRANGEMENT = "arrangement"
    STATE = "state"
    PERSON = "person"
    UNKNOWN = "unknown"


CONSOLIDATION: Final = "consolidation"
"""The basis of a holding that only says: its accounts are consolidated by this parent."""

BRANCH: Final = "branch"
"""The basis of a holding that says: it is a part of this company, abroad."""

HOLDINGS: Final = pa.schema(
    [
        pa.field("subject", pa.string(), nullable=False),
        pa.field("owner", pa.string(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("way", pa.string(), nullable=False),
        pa.field("basis", pa.string(), nullable=False),
        pa.field("statement", pa.string()),
    ]
)
"""One row per claim that an owner holds between `low` and `high` (0 to 1) of a subject, on one basis."""

GAPS: Final = pa.schema(
    [
        pa.field("subject", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("low", pa.float64()),
    ]
)
"""One row per owner that a source says it cannot name, with the reason and the least share it stands for."""

ENTITIES: Final = pa.schema(
    [
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("headquarters", pa.string()),
        pa.field("jurisdiction", pa.string()),
        pa.field("residence", pa.string()),
    ]
)
"""One row per entity or person; places are ISO 3166-1 or 3166-2 codes."""


class Register(Protocol):
    """One source of claims. The claims of one register do not count the same shares twice; two registers may."""

    @property
    def name(self) -> str:
        """What explanations call it, such as `GLEIF` or a file's name."""

    @property
    def holdings(self) -> pa.Table:
        """Schema `HOLDINGS`: the claims that hold on the day of the check."""

    @property
    def gaps(self) -> pa.Table:
        """Schema `GAPS`."""

    def describe(self, entity_ids: AbstractSet[str]) -> pa.Table:
        """Return schema `ENTITIES` for those of the ids that the register knows."""

    def find(self, identifier: str) -> str | None:
        """Return the entity id that an identifier of the user's stands for; None when it is not known here."""


class TableRegister:
    """A register given as tables: what a customer handed in, or a test.

    Args:
        name: What explanations call it.
        holdings: Schema `HOLDINGS`.
        entities: Schema `ENTITIES`.
        gaps: Schema `GAPS`.
    """

    def __init__(
        self, name: str, *, holdings: pa.Table, entities: pa.Table, gaps: pa.Table | None = None
    ) -> None:
        self.name = name
        self.holdings = holdings
        self.gaps = GAPS.empty_table() if gaps is None else gaps
        self._entities = entities

    def describe(self, entity_ids: AbstractSet[str]) -> pa.Table:
        """Return schema `ENTITIES` for those of the ids that the register knows."""
        wanted = pa.array(sorted(entity_ids), pa.string())
        return self._entities.filter(pc.is_in(self._entities.column("entity_id"), value_set=wanted))

    def find(self, identifier: str) -> str | None:
        """Know an entity by its id."""
        return identifier if len(self.describe({identifier})) else None


def is_lei(text: str) -> bool:
    """Say whether a text is a Legal Entity Identifier with right check digits (ISO 17442, ISO 7064 mod 97-10)."""
    if len(text) != LEI_LENGTH or not text.isascii() or not text.isalnum() or text != text.upper():
        return False
    return int("".join(str(int(character, 36)) for character in text)) % 97 == 1
