"""The kinds of elicitation that rules speak about, and the bit that each has in a request's mask."""

from enum import StrEnum


class Kind(StrEnum):
    """What a request asks the model to produce that is worth having as training material.

    The order is part of the stored format: a kind's bit in a mask is its position here, profiles keep
    counts by that position, so new kinds are added at the end and none is ever moved.
    """

    REASONING_TRACE = "reasoning_trace"
    RUBRIC_GRADING = "rubric_grading"
    PREFERENCE_PAIR = "preference_pair"
    DATASET_FORMAT = "dataset_format"
    INSTRUCTION_SYNTHESIS = "instruction_synthesis"
    SAFE_REWRITING = "safe_rewriting"
    HARVESTING = "harvesting"
    AGENTIC_TRAJECTORY = "agentic_trajectory"
    TRANSLATION_GRID = "translation_grid"
    WORKED_SOLUTION = "worked_solution"
    EXPLAINED_ANSWER = "explained_answer"

    @property
    def bit(self) -> int:
        """The mask with only this kind set."""
        return 1 << list(Kind).index(self)

    @property
    def sentence(self) -> str:
        """What the kind means, for reports and docs."""
        return _SENTENCES[self]


_SENTENCES = {
    Kind.REASONING_TRACE: "asks for the model's reasoning as a product of its own: the hidden trace, or a "
    "reconstruction of it",
    Kind.RUBRIC_GRADING: "has the model grade a given answer by a rubric, as a reward model would",
    Kind.PREFERENCE_PAIR: "has the model rank given answers, or write a chosen and a rejected one",
    Kind.DATASET_FORMAT: "asks for records of a training set, or presents the task in the layout of one",
    Kind.INSTRUCTION_SYNTHESIS: "asks for new tasks, questions or dialogues to train on, or for old ones made harder",
    Kind.SAFE_REWRITING: "asks to turn politically sensitive matter into what a censor would let pass",
    Kind.HARVESTING: "takes more from each call than an answer: many samples, or token probabilities",
    Kind.AGENTIC_TRAJECTORY: "asks for tool calls, tool results and decisions as a transcript, with no tool behind them",
    Kind.TRANSLATION_GRID: "asks for the same text in many languages, aligned",
    Kind.WORKED_SOLUTION: "asks for a solution in steps with the answer at a fixed place, as benchmarks do, too",
    Kind.EXPLAINED_ANSWER: "asks in everyday words for the reasoning beside the answer, as students do, too",
}
