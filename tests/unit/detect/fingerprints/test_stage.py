"""The fingerprint stage keeps order, holds few batches, and passes failures on."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from tests.unit.detect.fingerprints.test_facts import NoRules, batch

from stillwatch.detect.fingerprints.exemplars import NAMES
from stillwatch.detect.fingerprints.facts import FACTS
from stillwatch.detect.fingerprints.stage import fingerprinted


def batches(count: int, drawn: list[int]) -> Iterator[pa.RecordBatch]:
    for number in range(count):
        drawn.append(number)
        yield batch(
            {
                "account_id": f"org-{number}",
                "user_agent": "lark/1.0",
                "tls_ja4": "t13d",
                "client_address": "192.0.2.1",
            }
        )


@pytest.mark.parametrize("threads", [1, 3])
def test_facts_come_in_the_order_of_the_batches(threads: int) -> None:
    found = [facts for facts, _ in fingerprinted(batches(20, []), NoRules(), threads=threads)]
    assert [facts["account_id"][0].as_py() for facts in found] == [f"org-{number}" for number in range(20)]
    assert all(facts.schema == FACTS for facts in found)


def test_few_batches_are_held_at_a_time() -> None:
    drawn: list[int] = []
    for taken, _ in enumerate(fingerprinted(batches(50, drawn), NoRules(), threads=2)):
        assert len(drawn) <= taken + 1 + 2 + 2


def test_clients_and_networks_are_named() -> None:
    [(facts, names)] = fingerprinted(batches(1, []), NoRules(), threads=1)
    assert names.schema == NAMES
    shown = {(row["kind"], row["value"]): row["text"] for row in names.to_pylist()}
    assert shown[("client", facts["client"][0].as_py())] == "t13d lark/1.0"
    assert shown[("network", facts["network"][0].as_py())] == "192.0.2.0/24"


def test_a_failure_of_one_batch_is_passed_on() -> None:
    class Broken(NoRules):
        def match(
            self,
            prompt: pa.Array,
            system: pa.Array,
            choice_count: pa.Array | None = None,
            logprobs: pa.Array | None = None,
            top_logprobs: pa.Array | None = None,
        ) -> NDArray[np.uint32]:
            raise RuntimeError("broken rule")

    with pytest.raises(RuntimeError, match="broken rule"):
        list(fingerprinted(batches(3, []), Broken(), threads=2))
