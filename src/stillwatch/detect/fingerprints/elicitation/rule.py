"""An elicitation rule as its file states it, in the spirit of Sigma (https://sigmahq.io)."""

import datetime as dt
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stillwatch.detect.fingerprints.elicitation.condition import (
    Condition,
    ConditionSyntaxError,
    parse_condition,
)
from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.phrase import Phrase, PhraseSyntaxError, compile_phrase

Sentence = Annotated[str, Field(min_length=3, max_length=2_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Status(StrEnum):
    """How well a rule is known to behave."""

    EXPERIMENTAL = "experimental"
    TEST = "test"
    STABLE = "stable"


class Level(StrEnum):
    """How much a single hit says by itself. For people; scans weigh kinds by their rate in ordinary traffic."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class LogSource(_Part):
    """Which logs a rule reads: always those of a model API, for now."""

    category: Literal["llm_api"] = "llm_api"


class AtLeastNumber(_Part):
    """A request parameter has this value or a higher one."""

    at_least: int = Field(ge=1)


class Search(_Part):
    """One named search. Every field that is given must hold; of several phrases one suffices.

    Args:
        text: Phrases looked for in the prompt and in the system instructions.
        prompt: Phrases looked for in the last user message.
        system_instructions: Phrases looked for in the system text.
        choice_count: Number of samples asked for.
        logprobs: Token probabilities asked for.
        top_logprobs: Number of alternatives asked for at each token.
    """

    text: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    system_instructions: tuple[str, ...] = ()
    choice_count: AtLeastNumber | None = None
    logprobs: Literal[True] | None = None
    top_logprobs: AtLeastNumber | None = None

    @field_validator("text", "prompt", "system_instructions")
    @classmethod
    def _compiles(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for source in sources:
            try:
                compile_phrase(source)
            except PhraseSyntaxError as error:
                raise ValueError(str(error)) from error
        return sources

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (
            not self.phrase_fields
            and self.choice_count is None
            and not self.logprobs
            and self.top_logprobs is None
        ):
            raise ValueError("a search needs at least one field")
        return self

    @cached_property
    def phrase_fields(self) -> dict[str, tuple[Phrase, ...]]:
        """The compiled phrases by field, for the fields that have any."""
        given = {"text": self.text, "prompt": self.prompt, "system_instructions": self.system_instructions}
        return {field: tuple(map(compile_phrase, sources)) for field, sources in given.items() if sources}


class Example(_Part):
    """A request that the rule must, or must not, hit. Made up for the rule; never taken from a log."""

    prompt: str = ""
    system_instructions: str | None = None
    choice_count: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")


class Examples(_Part):
    """The rule's own tests."""

    match: tuple[Example, ...] = Field(min_length=1)
    no_match: tuple[Example, ...] = Field(min_length=1)


class Rule(_Part):
    """One elicitation rule.

    Args:
        id: A random UUID that never changes, by which other labs know the rule.
        title: A few words.
        status: How well it is known to behave.
        description: What it looks for and why that is worth having for training.
        references: Where the recipe is published.
        author: Who wrote it.
        date: When.
        modified: When it last changed.
        kind: What a hit means.
        logsource: Which logs it reads.
        detection: Named searches, and the condition that joins them.
        falsepositives: Ordinary requests that look the same.
        level: How much one hit says by itself.
        tags: ATLAS techniques and our own.
        examples: Requests that must and must not hit.
    """

    id: UUID
    title: Sentence
    status: Status
    description: Sentence
    references: tuple[str, ...] = ()
    author: Sentence
    date: dt.date
    modified: dt.date | None = None
    kind: Kind
    logsource: LogSource = LogSource()
    detection: dict[str, Search | str]
    falsepositives: tuple[Sentence, ...] = Field(min_length=1)
    level: Level
    tags: tuple[str, ...] = Field(min_length=1)
    examples: Examples

    @field_validator("detection", mode="before")
    @classmethod
    def _has_condition(cls, detection: object) -> object:
        condition = detection.get("condition") if isinstance(detection, dict) else None
        if not isinstance(condition, str):
            raise ValueError(  # noqa: TRY004 - pydantic turns only value errors into its own
                "detection needs named searches and a condition, such as `condition: 1 of them`"
            )
        return detection

    @model_validator(mode="after")
    def _condition_parses(self) -> Self:
        plain = [
            name for name, search in self.detection.items() if name != "condition" and isinstance(search, str)
        ]
        if plain or not self.searches:
            raise ValueError(
                f"searches are mappings of fields to values; {', '.join(plain) or 'there is none'}"
            )
        try:
            parse_condition(self.condition_text, self.searches)
        except ConditionSyntaxError as error:
            raise ValueError(f"condition {error}") from error
        return self

    @cached_property
    def searches(self) -> dict[str, Search]:
        """The named searches."""
        return {name: search for name, search in self.detection.items() if isinstance(search, Search)}

    @property
    def condition_text(self) -> str:
        """The condition as written."""
        return str(self.detection["condition"])

    @cached_property
    def condition(self) -> Condition:
        """The condition, parsed."""
        return parse_condition(self.condition_text, self.searches)
