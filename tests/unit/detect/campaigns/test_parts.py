"""The compiled cuts agree with those of SciPy and with the plain way of writing them."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components

from stillwatch.detect.campaigns.parts import cut, means_between, parts_of, ties_within


@given(size=st.integers(1, 25), share=st.floats(0, 0.2), seed=st.integers(0, 999))
def test_connected_parts_are_those_of_scipy(size: int, share: float, seed: int) -> None:
    joined = np.random.default_rng(seed).random((size, size)) < share
    joined |= joined.T
    count, label = connected_components(sp.csr_matrix(joined), directed=False)
    part, found = parts_of(joined)
    assert found == count
    assert part.tolist() == label.tolist()


@given(size=st.integers(2, 25), seed=st.integers(0, 999), data=st.data())
def test_a_tree_is_cut_where_scipy_cuts_it(size: int, seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(2, size))
    tree = linkage(np.random.default_rng(seed).random(size * (size - 1) // 2), method="average")
    mine, theirs = cut(tree, count), fcluster(tree, count, criterion="maxclust")
    together = mine[:, None] == mine[None, :]
    assert (together == (theirs[:, None] == theirs[None, :])).all()


@given(size=st.integers(1, 20), count=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_mean_between_parts_leaves_an_account_with_itself_out(size: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    nats, part = rng.random((size, size)), rng.integers(0, count, size)
    means = means_between(nats, part, count)
    for a in range(count):
        for b in range(count):
            pairs = [
                nats[i, j] for i in np.flatnonzero(part == a) for j in np.flatnonzero(part == b) if i != j
            ]
            assert abs(means[a, b] - (np.mean(pairs) if pairs else 0.0)) < 1e-9


def test_ties_within_a_group_leave_the_scratch_as_it_was() -> None:
    graph = sp.random(30, 30, density=0.2, format="csr", rng=np.random.default_rng(2))
    members, scratch = np.array([3, 17, 5, 29]), np.full(30, -1)
    ties = ties_within(graph.indptr, graph.indices, graph.data, members, scratch)
    assert ties.tolist() == graph.toarray()[np.ix_(members, members)].tolist()
    assert (scratch == -1).all()
