"""Assessments as text for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence

from stillwatch.respond.access.ownership.assessment import Assessment
from stillwatch.respond.access.ownership.sentences import called


def as_json(assessments: Sequence[Assessment]) -> str:
    """Return a JSON array with a final newline."""
    return json.dumps([each.model_dump(mode="json") for each in assessments], indent=2) + "\n"


def as_text(assessments: Sequence[Assessment]) -> str:
    """Return each assessment as a compiler would print it, and one summary line."""
    blocks = ["\n".join(_lines(each)) for each in assessments]
    counts = [each.outcome.value for each in assessments]
    summary = ", ".join(
        f"{counts.count(outcome)} {outcome}"
        for outcome in ("refused", "unknown", "clear")
        if outcome in counts
    )
    return "\n\n".join([*blocks, f"{len(assessments)} checked: {summary}."]) + "\n"


def _lines(assessment: Assessment) -> Iterator[str]:
    """Yield the lines about one organization."""
    yield f"{assessment.outcome.value}[ownership]: {called(assessment.name, assessment.entity_id)}"
    yield from (f"  {sentence}" for sentence in assessment.reasons)
    yield from (f"  = path: {path.sentence}" for path in assessment.paths)
    yield from (f"  = unknown: {sentence}" for sentence in assessment.unknowns)
    yield from (f"  = note: {sentence}" for sentence in assessment.notes)
