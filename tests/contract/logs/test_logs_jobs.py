"""Batch jobs: questions and answers in separate files become one request each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.detect.logs import ReadLimits, anthropic_batch, openai_batch

Read = Callable[..., Any]
Simulated = Callable[[int, int], list[dict[str, Any]]]

MODULES = [openai_batch, anthropic_batch]
by_name = pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.FORMAT.name))


def write(path: Path, records: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def filled(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


@by_name
def test_questions_and_answers_in_two_files_are_joined(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(50, 3)
    pairs = [module.example_lines(row) for row in rows]
    write(tmp_path / "a-answers.jsonl", [answer for _, answer in reversed(pairs)])
    write(tmp_path / "b-questions.jsonl", [question for question, _ in pairs])
    found, summary, rejected = read(tmp_path)
    assert [filled(row) for row in found] == [module.carried(row) for row in rows]
    assert summary.rows == summary.ignored == 50
    assert rejected.total == 0
    assert not summary.notes


@by_name
def test_questions_alone_have_no_tokens(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(5, 3)
    write(tmp_path / "q.jsonl", [module.example_lines(row)[0] for row in rows])
    found, _, _ = read(tmp_path)
    assert [row["prompt"] for row in found] == [row["prompt"] for row in rows]
    assert {row["output_tokens"] for row in found} == {None}
    assert len({row["request_id"] for row in found}) == 5
    assert found == read(tmp_path)[0]


@by_name
def test_answers_alone_need_a_customer_and_a_time_from_their_path(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(5, 3)
    folder = tmp_path / "account_id=acct-7" / "time=2026-03-02"
    write(folder / "answers.jsonl", [module.example_lines(row)[1] for row in rows])
    found, summary, _ = read(tmp_path)
    assert [row["output_tokens"] for row in found] == [row["output_tokens"] for row in rows]
    assert {row["account_id"] for row in found} == {"acct-7"}
    assert {row["prompt"] for row in found} == {None}
    assert summary.notes[0].startswith("5 batch answers stand without their question")


@by_name
def test_ids_that_return_in_another_job_are_joined_within_their_folder(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(2, 3)
    for row in rows:
        question, answer = module.example_lines(row)
        question["custom_id"] = answer["custom_id"] = "task-1"
        write(tmp_path / row["request_id"] / "in.jsonl", [question])
        write(tmp_path / row["request_id"] / "out.jsonl", [answer])
    found, summary, _ = read(tmp_path)
    assert [row["output_tokens"] for row in found] == [row["output_tokens"] for row in rows]
    assert summary.ignored == 2


@by_name
def test_an_id_that_stands_twice_in_one_folder_is_never_joined_by_guess(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    rows = simulated(2, 3)
    pairs = [module.example_lines(row) for row in rows]
    for question, answer in pairs:
        question["custom_id"] = answer["custom_id"] = "task-1"
        answer |= {"account_id": "acct-1", "time": "2026-03-02T00:00:00Z"}
    write(tmp_path / "in.jsonl", [question for question, _ in pairs])
    write(tmp_path / "out.jsonl", [answer for _, answer in pairs])
    found, summary, _ = read(tmp_path)
    assert len(found) == 4
    assert summary.ignored == 0
    assert summary.notes


@by_name
def test_held_answers_are_bounded_and_the_rest_stands_alone(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    pairs = [module.example_lines(row) for row in simulated(10, 3)]
    for _, answer in pairs:
        answer |= {"account_id": "acct-1", "time": "2026-03-02T00:00:00Z"}
    write(tmp_path / "in.jsonl", [question for question, _ in pairs])
    write(tmp_path / "out.jsonl", [answer for _, answer in pairs])
    found, summary, _ = read(tmp_path, limits=ReadLimits(max_joined_rows=4))
    assert summary.ignored == 4
    assert len(found) == 16


@by_name
def test_broken_lines_of_a_job_are_refused_once(
    module: Any, tmp_path: Path, simulated: Simulated, read: Read
) -> None:
    question, answer = module.example_lines(simulated(1, 3)[0])
    path = tmp_path / "job.jsonl"
    path.write_text(f"{json.dumps(question)}\n{{\n\n{json.dumps(answer)}\n")
    found, summary, rejected = read(path)
    assert len(found) == 1
    assert rejected.by_reason == {"broken_json": 1}
    assert summary.ignored == 2


def test_a_failed_answer_is_an_error_without_output(tmp_path: Path, simulated: Simulated, read: Read) -> None:
    row = simulated(1, 3)[0]
    question, answer = openai_batch.example_lines(row)
    failure = {"message": "too many", "type": "rate_limit_error"}
    answer["response"] = {"status_code": 429, "request_id": "r9", "body": {"error": failure}}
    write(tmp_path / "openai.jsonl", [question, answer])
    expired = {"custom_id": question["custom_id"], "response": None, "error": {"code": "batch_expired"}}
    write(tmp_path / "b" / "expired.jsonl", [{**question, "custom_id": "x"}, {**expired, "custom_id": "x"}])
    asked, _ = anthropic_batch.example_lines(row)
    error = {"type": "error", "error": {"type": "overloaded_error"}}
    result = {"custom_id": asked["custom_id"], "result": {"type": "errored", "error": error}}
    write(tmp_path / "anthropic.jsonl", [asked, result])
    found, _, _ = read(tmp_path)
    assert sorted(each["status"] for each in found) == [429, 500, 529]
    assert {each["finish_reason"] for each in found} == {"error"}
    assert {each["output_tokens"] for each in found} == {0}
