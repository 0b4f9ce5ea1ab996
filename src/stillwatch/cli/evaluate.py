"""`stillwatch evaluate`: print the report card of a scan whose truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stillwatch.errors import UsageError

if TYPE_CHECKING:
    from stillwatch.lab.evaluation import ReportCard

_BUDGETS = (1, 10)


def evaluate(
    findings: Path,
    *,
    truth: Path,
    logs: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    extraction: Path | None = None,
    accounts: bool = False,
    baseline_table: bool = False,
    format: Literal["pretty", "json"] = "pretty",  # noqa: A002 - the flag is --format everywhere
) -> int:
    """Compare the findings of a scan with the truth of a labeled log set.

    A true campaign is found when one reported campaign at medium or above holds at least half of its accounts
    and at least 80 % of the reported campaign's own accounts belong to it.

    Args:
        findings: A scan's output folder, or its findings.json; accounts.parquet is read beside it.
        truth: truth.parquet, or the folder that holds it.
        logs: The requests that were scanned. Without it, requests/ beside the truth.
        extraction: Table of the requests that are extraction. Without it, truth-extraction-requests.parquet
            beside the truth.
        accounts: Also list every account on which scan and truth differ.
        baseline_table: Also compare with the published figures of other detectors on the same set.
        format: pretty for people, json for programs.

    Returns:
        0 once the card is printed, whatever it says.
    """
    from stillwatch.lab import evaluation  # noqa: PLC0415 - --help does not pay for the engine
    from stillwatch.lab.evaluation.rendering import render  # noqa: PLC0415

    card = evaluation.evaluate(findings, truth, logs=logs, extraction=extraction)
    tables = _baseline_tables(card) if baseline_table else ""
    if format == "json":
        print(card.model_dump_json(indent=2, exclude=None if accounts else {"errors"}))
    else:
        print(render(card, with_accounts=accounts) + tables, end="")
    return 0


def _baseline_tables(card: "ReportCard") -> str:
    """Return one table for each budget of false alarms that the published figures were measured at."""
    from stillwatch.lab.evaluation.baselines import baseline_rows, comparable, load_baselines  # noqa: PLC0415
    from stillwatch.lab.evaluation.table import aligned  # noqa: PLC0415

    published = load_baselines()
    if not comparable(card, published):
        raise UsageError(
            "this set is not the one that the published figures were measured on",
            hint=f"leave out --baseline-table, or evaluate a scan of the set {published.set!r}",
        )
    blocks = [
        f"\nat {budget} benign account(s) flagged per 1,000 on quiet traffic (recall, day, leak/leak if blocked)\n"
        f"{aligned(*baseline_rows(card, published, budget))}\n"
        for budget in _BUDGETS
    ]
    return "".join(blocks)
