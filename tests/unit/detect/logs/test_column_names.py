"""Own names of canonical columns."""

import pytest

from stillwatch.detect.logs import columns_map_of
from stillwatch.errors import UsageError


def test_pairs_may_stand_in_one_text_or_in_several() -> None:
    expected = {"account_id": "metadata.org", "time": "created at"}
    assert columns_map_of(["account_id=metadata.org, time=created at"]) == expected
    assert columns_map_of(["account_id=metadata.org", "time=created at,"]) == expected
    assert columns_map_of([]) == {}


def test_an_own_name_may_hold_an_equals_sign() -> None:
    assert columns_map_of(["prompt=a=b"]) == {"prompt": "a=b"}


@pytest.mark.parametrize("text", ["account_id", "=org", "account_id=", "colour=x", "time=a,time=b"])
def test_a_mistake_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--columns"):
        columns_map_of([text])
