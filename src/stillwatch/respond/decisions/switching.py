"""Turn a playbook on and off. Only a person does, and only for exactly the content that was looked at."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from stillwatch.domain.actions import Mode
from stillwatch.domain.decisions import is_person
from stillwatch.errors import DecisionError
from stillwatch.respond.audit import Write
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.taking import turn_off
from stillwatch.respond.decisions.wording import check_texts, said
from stillwatch.respond.store.decision_tables import decisions, playbook_switches

KIND: Final = "playbook"
"""The kind of object under which the trail keeps playbooks."""


class Switch(NamedTuple):
    """How a playbook stands.

    Attributes:
        mode: whether its decisions act.
        author: who turned it on or off; empty when nobody did.
        rationale: that person's reason.
        switched_at: when, or None.
    """

    mode: Mode = Mode.SHADOW
    author: str = ""
    rationale: str = ""
    switched_at: datetime | None = None


def switch_of(connection: Connection, playbook: Playbook) -> Switch:
    """Return how exactly this content of a playbook stands; shadow unless a person turned it on."""
    row = connection.execute(
        select(playbook_switches).where(playbook_switches.c.signature == playbook.author)
    ).first()
    return Switch() if row is None else Switch(Mode(row.mode), row.author, row.rationale, row.switched_at)


def turn_playbook_on(write: Write, playbook: Playbook, rationale: str) -> None:
    """Let the playbook's future decisions act. Those taken in shadow stay in shadow.

    Raises:
        DecisionError: no person asks, or no reason is given.
    """
    if not is_person(write.actor):
        raise DecisionError("only a person turns a playbook on", hint="say who you are: person:NAME")
    check_texts(playbook.model_dump_json())
    text = said(rationale, "turning a playbook on needs an independent rationale")
    written = _parts(playbook.model_dump_json(by_alias=True))
    facts = {"signature": playbook.author, "rationale": text, "playbook": written}
    write.record("playbook.turned_on", KIND, playbook.name, facts)
    _replace(write, playbook.name, playbook.author, Mode.LIVE, text)


def turn_playbook_off(write: Write, name: str, why: str) -> tuple[str, ...]:
    """Put a playbook, and every decision of it that acts, back into shadow at once.

    Returns:
        The decisions that no longer act.

    Raises:
        DecisionError: no reason is given.
    """
    text = said(why, "turning a playbook off needs a reason")
    write.record("playbook.turned_off", KIND, name, {"why": text})
    row = write.connection.execute(select(playbook_switches).where(playbook_switches.c.name == name)).first()
    _replace(write, name, "" if row is None else row.signature, Mode.SHADOW, text)
    acting = write.connection.execute(
        select(decisions.c.decision_id).where(
            decisions.c.closed_at.is_(None),
            decisions.c.ends_at > write.now,
            decisions.c.mode == Mode.LIVE.value,
            decisions.c.author.startswith(f"playbook:{name}@", autoescape=True),
        )
    ).scalars()
    stopped = tuple(acting)
    for decision_id in stopped:
        turn_off(write, decision_id, f"the playbook was turned off: {text}"[:2_000])
    return stopped


def _replace(write: Write, name: str, signature: str, mode: Mode, rationale: str) -> None:
    row: dict[str, Any] = {
        "name": name,
        "signature": signature,
        "mode": mode.value,
        "author": write.actor,
        "rationale": rationale,
        "switched_at": write.now,
    }
    write.connection.execute(delete(playbook_switches).where(playbook_switches.c.name == name))
    write.connection.execute(insert(playbook_switches).values(row))


def _parts(content: str, size: int = 8_000) -> list[str]:
    """Cut the playbook's content into values as short as the trail takes them."""
    return [content[start : start + size] for start in range(0, len(content), size)]
