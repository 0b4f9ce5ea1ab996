"""`stillwatch decisions appeals`: customers object, and a person who did not take the decision answers."""

from typing import TYPE_CHECKING, Literal

from cyclopts import App, Parameter

from stillwatch.cli.database import DEFAULT_PLACE, Place, opened
from stillwatch.cli.decisions import DEFAULT_ACTOR, Actor, show_record, show_records, written

if TYPE_CHECKING:
    from stillwatch.domain.decisions import Appeal

appeals = App(name="appeals", help_format="plaintext", default_parameter=Parameter(negative=()))


@appeals.command(name="list")
def list_(*, all: bool = False, place: Place = DEFAULT_PLACE) -> int:  # noqa: A002 - the flag is --all
    """List appeals that wait for an answer, oldest first.

    Args:
        all: Also answered ones.
        place: Which database, and how to answer.
    """
    from stillwatch.respond.decisions.reading import appeals_now  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.respond.decisions.rendering import appeal_table  # noqa: PLC0415

    with opened(place) as store, store.reading() as connection:
        found = appeals_now(connection, everything=all)
    show_records(place, found, lambda: appeal_table(found))
    return 0


@appeals.command(name="open")
def open_(decision_id: str, account: str, *, statement: str, actor: Actor = DEFAULT_ACTOR) -> int:
    """Open an appeal; the decision goes on until a person has answered.

    Args:
        decision_id: What is appealed against.
        account: Who appeals.
        statement: What the customer says.
        actor: Who received it, in which database.
    """
    from random import SystemRandom  # noqa: PLC0415 - --help does not pay for it

    from stillwatch.respond.decisions.appeals import open_appeal  # noqa: PLC0415

    found = written(
        actor, lambda write: open_appeal(write, decision_id, account, statement, rng=SystemRandom())
    )
    _show(actor, found)
    return 0


@appeals.command
def answer(
    appeal_id: str,
    outcome: Literal["kept", "reinstated"],
    *,
    text: str,
    label: Literal["true_campaign", "resale", "benign", "authorized"] | None = None,
    actor: Actor = DEFAULT_ACTOR,
) -> int:
    """Answer an appeal. Reinstating lets the account go and labels it benign unless another label is given.

    Args:
        appeal_id: Which appeal.
        outcome: kept or reinstated.
        text: What the customer is told.
        label: What the account really is.
        actor: Who answers: not the person who took the decision.
    """
    from stillwatch.domain.cases import CaseLabel  # noqa: PLC0415 - --help does not pay for it
    from stillwatch.domain.decisions import AppealOutcome  # noqa: PLC0415
    from stillwatch.respond.decisions.appeals import answer_appeal  # noqa: PLC0415

    chosen = CaseLabel(label) if label else None
    found = written(
        actor, lambda write: answer_appeal(write, appeal_id, AppealOutcome(outcome), text, label=chosen)
    )
    _show(actor, found)
    return 0


def _show(place: Place, appeal: "Appeal") -> None:
    from stillwatch.respond.decisions.rendering import appeal_table  # noqa: PLC0415 - --help does not pay for it

    show_record(place, appeal, lambda: appeal_table((appeal,)))
