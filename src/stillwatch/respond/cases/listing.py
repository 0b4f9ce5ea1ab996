"""Which cases to look at, worst first."""

from datetime import datetime

from sqlalchemy import Connection

from stillwatch.domain.cases import Case, CaseStatus
from stillwatch.respond.cases import rows


def chosen(
    connection: Connection,
    now: datetime,
    *,
    status: CaseStatus | None = None,
    assignee: str | None = None,
    everything: bool = False,
) -> tuple[tuple[Case, ...], int]:
    """Return the cases that ask for somebody's time, worst first, and how many others there are.

    Args:
        connection: A connection that reads.
        now: For snoozes.
        status: Only these.
        assignee: Only those of this person.
        everything: Closed and snoozed ones too.
    """
    known = rows.everything(connection)
    shown = [
        case
        for case in known
        if (status is None or case.status is status)
        and (assignee is None or case.assignee == assignee)
        and (everything or status is CaseStatus.CLOSED or not case.is_closed)
        and (everything or not case.is_snoozed(now))
    ]
    shown.sort(key=lambda case: (case.is_closed, -case.figures.severity.rank, -case.updated_at.timestamp()))
    return tuple(shown), len(known) - len(shown)
