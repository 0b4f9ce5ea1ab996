"""The matcher turns columns of requests into masks of kinds."""

import numpy as np
import pyarrow as pa
from hypothesis import given, strategies as st

from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, Kind, RequestColumns, load_rules

RULES = load_rules()
MATCHER = ElicitationMatcher.from_rules(RULES)
RUBRIC = "Score rubric: is it concise? Evaluate the response and give a score from 1 to 5."


def match(prompt: str | None, system: str | None = None) -> int:
    return int(MATCHER.match(pa.array([prompt], pa.string()), pa.array([system], pa.string()))[0])


def test_a_request_without_text_shows_only_what_its_parameters_show() -> None:
    texts = pa.nulls(4, pa.string())
    mask = MATCHER.match(
        texts, texts, pa.array([1, 4, None, 1], pa.int16()), pa.array([False, False, None, True]), None
    )
    assert mask.dtype == np.uint32
    assert mask.tolist() == [0, Kind.HARVESTING.bit, 0, Kind.HARVESTING.bit]


def test_top_logprobs_alone_is_harvesting() -> None:
    texts = pa.nulls(2, pa.string())
    assert MATCHER.match(texts, texts, top_logprobs=pa.array([None, 5], pa.int16())).tolist() == [
        0,
        Kind.HARVESTING.bit,
    ]


def test_instructions_count_in_the_prompt_and_in_the_system_text() -> None:
    assert match(RUBRIC) == Kind.RUBRIC_GRADING.bit
    assert match("anything", RUBRIC) == Kind.RUBRIC_GRADING.bit
    assert match(None, RUBRIC) == Kind.RUBRIC_GRADING.bit


def test_criteria_in_the_system_text_and_the_answer_in_the_prompt_go_together() -> None:
    system = "You grade by this score rubric, with a score from 1 to 5."
    assert match("Evaluate the response: Paris.", system) == Kind.RUBRIC_GRADING.bit
    assert match("Evaluate the response: Paris.") == 0


JUDGED_CASE = """### Task description: An instruction, a response to evaluate, a reference answer that earns full marks and a score rubric are given.
1. Write detailed feedback by the score rubric. 2. Then write an integer between 1 and 5.
### Instruction: Name a river in Germany.
### Response: The Rhine.
### Reference answer: The Elbe.
### Score rubrics: [Is the river in Germany?]
### Feedback:"""


def test_a_case_laid_before_a_judge_is_grading_and_no_record_of_a_training_set() -> None:
    assert match(JUDGED_CASE) == Kind.RUBRIC_GRADING.bit
    assert match(JUDGED_CASE[JUDGED_CASE.index("### Instruction") : JUDGED_CASE.index("### Reference")]) == (
        Kind.DATASET_FORMAT.bit
    )


def test_the_kinds_are_named_in_the_order_of_their_bits() -> None:
    assert MATCHER.kinds == tuple(kind.value for kind in Kind)


def test_no_rows_give_no_masks() -> None:
    empty = pa.array([], pa.string())
    assert MATCHER.match(empty, empty).tolist() == []


def test_chunked_and_dictionary_columns_are_read_like_plain_ones() -> None:
    prompts = pa.chunked_array([[RUBRIC], ["hello"]])
    systems = pa.chunked_array([pa.array(["x", "x"]).dictionary_encode()])
    assert MATCHER.match(prompts, systems).tolist() == [Kind.RUBRIC_GRADING.bit, 0]


def test_the_answer_does_not_depend_on_how_many_rows_are_matched_at_once() -> None:
    prompts = pa.array([RUBRIC, "hello", None, "请还原推理过程"] * 20_000)
    systems = pa.nulls(len(prompts), pa.string())
    whole = MATCHER.match(prompts, systems)
    assert whole.reshape(-1, 4).tolist() == [whole[:4].tolist()] * 20_000


def test_rules_can_be_told_apart() -> None:
    rows = MATCHER.match_rules(RequestColumns(pa.array([RUBRIC, "hello"]), pa.nulls(2, pa.string())))
    hit = {str(rule.id): rule.kind for rule in RULES if rows[str(rule.id)].any()}
    assert set(hit.values()) == {Kind.RUBRIC_GRADING}
    assert len(rows) == len(RULES)


def test_a_matcher_without_rules_finds_nothing() -> None:
    texts = pa.array([RUBRIC])
    assert ElicitationMatcher.from_rules([]).match(texts, texts).tolist() == [0]


ORDINARY = [
    "Explain step by step how a heat pump works.",
    "Can you compare these two phones for me? Which is better?",
    "Translate this into French: good morning.",
    "请一步一步教我做红烧肉。",
    "この文章を英語に翻訳してください。",
    "Compara estos dos coches y dime cuál es mejor.",
    "Préparez-moi une liste de courses.",
    "Why does my unit test fail?",
    "Give me feedback on my cover letter.",
    "Write a short story about a lighthouse keeper.",
    "Как приготовить борщ шаг за шагом?",
    "What is the difference between a rubric and a checklist?",
]


def test_ordinary_requests_that_look_alike_show_nothing() -> None:
    assert [text for text in ORDINARY if match(text)] == []


CURIOUS = [
    "Solve this equation step by step, please: 2x = 8.",
    "What is the capital of Peru? Explain how you know.",
    "帮我一步一步分析这道数学题。",
    "Wie viele Tage hat ein Schaltjahr? Begründe deine Antwort.",
    "Докажи теорему шаг за шагом.",
]


def test_everyday_wishes_for_an_explanation_are_no_coercion() -> None:
    assert {match(text) for text in CURIOUS} == {Kind.EXPLAINED_ANSWER.bit}


PROGRAM_OUTPUT = [
    "Traceback (most recent call last): prompt = 'show your reasoning'",
    "Tool result: README.md: explain how you got there",
    "import json\nPROMPT = 'think step by step before you answer'",
]


def test_the_output_of_programs_is_no_wish_for_an_explanation() -> None:
    assert [text for text in PROGRAM_OUTPUT if match(text) & Kind.EXPLAINED_ANSWER.bit] == []


@given(st.lists(st.tuples(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text())), max_size=5))
def test_no_text_breaks_the_matcher(rows: list[tuple[str | None, str | None]]) -> None:
    clean = [[t if t is None else t.encode("utf-8", "ignore").decode() for t in row] for row in rows]
    mask = MATCHER.match(
        pa.array([row[0] for row in clean], pa.string()), pa.array([row[1] for row in clean], pa.string())
    )
    assert len(mask) == len(rows)
    assert not (mask >> len(Kind)).any()
