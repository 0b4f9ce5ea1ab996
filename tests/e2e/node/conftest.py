"""Nodes in processes of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.node.running import RunningNode

MakeNode = Callable[..., RunningNode]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Return a maker of nodes; each is ended with the test."""
    made: list[RunningNode] = []

    def make(*words: str, data: Path | None = None, every: str = "1s", start: bool = True) -> RunningNode:
        node = RunningNode(data or tmp_path / f"node{len(made)}", *words, every=every)
        made.append(node)
        if start:
            node.start()
        return node

    yield make
    for node in made:
        node.kill()


@pytest.fixture(scope="session")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """Start one node for all tests that only ask."""
    node = RunningNode(tmp_path_factory.mktemp("shared") / "node", every="1h")
    try:
        node.start()
        yield node
    finally:
        node.kill()
