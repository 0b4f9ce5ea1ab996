"""Run the examples that rules carry as their own tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from stillwatch.detect.fingerprints.elicitation.matching import ElicitationMatcher, RequestColumns
from stillwatch.detect.fingerprints.elicitation.rule import Example, Rule


@dataclass(frozen=True, slots=True)
class FailedExample:
    """An example that its rule judges differently.

    Args:
        rule: The rule.
        example: The request.
        expected: Whether the rule says that it hits.
    """

    rule: Rule
    example: Example
    expected: bool

    @property
    def sentence(self) -> str:
        """What is wrong, for a person."""
        verb = "should hit and does not" if self.expected else "should not hit and does"
        text = self.example.prompt or self.example.system_instructions or "(no text)"
        return f"{self.rule.title}: {verb}: {text!r}"


def failed_examples(rules: Sequence[Rule]) -> list[FailedExample]:
    """Evaluate every rule on all of its examples and return those that come out wrong."""
    return [failure for rule in rules for failure in _failed(rule)]


def _failed(rule: Rule) -> list[FailedExample]:
    cases = [(example, True) for example in rule.examples.match]
    cases += [(example, False) for example in rule.examples.no_match]
    hits = ElicitationMatcher.from_rules([rule]).match_rules(
        example_columns([example for example, _ in cases])
    )
    return [
        FailedExample(rule, example, expected)
        for (example, expected), hit in zip(cases, hits[str(rule.id)], strict=True)
        if bool(hit) != expected
    ]


def example_columns(examples: Sequence[Example]) -> RequestColumns:
    """Lay examples out as the columns of a request table."""
    return RequestColumns(
        prompt=pa.array([example.prompt for example in examples], pa.string()),
        system_instructions=pa.array([example.system_instructions for example in examples], pa.string()),
        choice_count=pa.array([example.choice_count for example in examples], pa.int16()),
        logprobs=pa.array([example.logprobs for example in examples], pa.bool_()),
        top_logprobs=pa.array([example.top_logprobs for example in examples], pa.int16()),
    )
