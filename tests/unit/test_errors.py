"""The error tree is what its drawing says, and each error tells what to do."""

import inspect
import re

import pytest

from stillwatch import errors
from stillwatch.errors import MissingColumnsError, StillwatchError, TooManyRejectedError

ALL_ERRORS = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, StillwatchError)
]


def drawn() -> dict[str, int]:
    """Return name to exit code as the module's docstring draws them."""
    text = errors.__doc__ or ""
    return {name: int(code) for name, code in re.findall(r"(\w+Error) \.+ (\d+)", text)}


def test_the_drawing_names_every_error_with_its_exit_code() -> None:
    assert drawn() == {error.__name__: error.exit_code for error in ALL_ERRORS}


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: error.__name__)
def test_each_error_says_what_to_do(error: type[StillwatchError]) -> None:
    assert len(error.default_hint) > len("do it")
    assert not error.default_hint.endswith(".")


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: error.__name__)
def test_no_error_uses_the_exit_codes_of_findings(error: type[StillwatchError]) -> None:
    assert error.exit_code not in range(11, 15)
    assert error.exit_code != 0


def test_a_hint_given_where_it_is_raised_replaces_the_standard_one() -> None:
    assert errors.InputError("bad file", hint="look at line 3").hint == "look at line 3"
    assert errors.InputError("bad file").hint == errors.InputError.default_hint


def test_missing_columns_are_named_beside_those_that_were_found() -> None:
    error = MissingColumnsError("logs.csv", missing=["time", "account_id"], found=["ts", "acct"])
    assert str(error) == "logs.csv lacks account_id, time; found acct, ts"


def test_a_file_without_any_column_says_none() -> None:
    assert str(MissingColumnsError("logs.csv", missing=["time"], found=[])).endswith("found none")


def test_too_many_rejected_says_the_share_beside_what_was_allowed() -> None:
    error = TooManyRejectedError(30, 1000, 0.01)
    assert str(error) == "30 of 1,000 lines were rejected (3.0%, allowed 1.0%)"
