"""Calls before they are written: who, when, and the keys that decide what."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from stillwatch.lab.simulation.chance import Indices, Keys


@dataclass(slots=True)
class Events:
    """Calls, column by column; every array has one entry per call.

    Attributes:
        time: Microseconds since 1970.
        account: Position in the lab's accounts.
        conversation: Key of the sitting, job or conversation.
        turn: Position inside it, from zero.
        thread: Key of the conversation id; calls of a job have one each.
        item: Key of the question.
        theme: Key of what it is about; questions of one conversation share it, a known question has its own.
        owner: Key of the template that wraps it.
        text: Index into the kinds of text.
        language: Index into `LANGUAGES`.
        user: Key of the end user; zero where there is none.
        pivot: The call goes to the newly released model.
        campaign: Position of the campaign whose extraction this is; -1 for everything else.
    """

    time: Indices
    account: Indices
    conversation: Keys
    turn: Indices
    thread: Keys
    item: Keys
    theme: Keys
    owner: Keys
    text: npt.NDArray[np.int16]
    language: npt.NDArray[np.int16]
    user: Keys
    pivot: npt.NDArray[np.bool_]
    campaign: npt.NDArray[np.int16]

    def __len__(self) -> int:
        """Count the calls."""
        return len(self.time)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> "Events":
        """Keep some calls, in the given order."""
        return Events(*(getattr(self, field.name)[rows] for field in fields(Events)))


def none() -> Events:
    """Make a table of no events."""
    keys, whole, small = np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int16)
    return Events(
        time=whole, account=whole, conversation=keys, turn=whole, thread=keys, item=keys, theme=keys, owner=keys, text=small,
        language=small, user=keys, pivot=np.zeros(0, bool), campaign=small,
    )  # fmt: skip


def concatenate(parts: Sequence[Events]) -> Events:
    """Put events under each other."""
    parts = [*parts, none()]
    return Events(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Events))
    )


def by_time(events: Events) -> Events:
    """Sort by time; equal times by account and turn, so that the order never depends on who was simulated first."""
    return events.take(np.lexsort((events.turn, events.account, events.time)))
