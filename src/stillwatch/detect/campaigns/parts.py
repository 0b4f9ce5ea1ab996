"""Parts of small groups, compiled: a scan cuts thousands of groups of a few dozen accounts."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def ties_within(pointers, neighbors, nats, members, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the ties of a graph between some accounts.

    Args:
        pointers: `(n_accounts + 1,)` where each account's neighbors begin.
        neighbors: `(m,)` accounts.
        nats: `(m,)` what ties them.
        members: `(n,)` accounts.
        place: `(n_accounts,)` int64, all -1; scratch, left as it was.

    Returns:
        `(n, n)` float64, 0 where there is no tie.
    """
    size = members.shape[0]
    out = np.zeros((size, size))
    for i in range(size):
        place[members[i]] = i
    for i in range(size):
        for at in range(pointers[members[i]], pointers[members[i] + 1]):
            j = place[neighbors[at]]
            if j >= 0:
                out[i, j] = nats[at]
    for i in range(size):
        place[members[i]] = -1
    return out


@njit(cache=True, nogil=True)
def parts_of(joined):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Number the connected parts of a graph by their first member.

    Args:
        joined: `(n, n)` bool, symmetric.

    Returns:
        `(n,)` int64 part of each, and the number of parts.
    """
    size = joined.shape[0]
    part = np.full(size, -1, dtype=np.int64)
    waiting = np.empty(size, dtype=np.int64)
    count = 0
    for first in range(size):
        if part[first] >= 0:
            continue
        part[first] = count
        waiting[0] = first
        held = 1
        while held:
            held -= 1
            one = waiting[held]
            for other in range(size):
                if part[other] < 0 and joined[one, other]:
                    part[other] = count
                    waiting[held] = other
                    held += 1
        count += 1
    return part, count


@njit(cache=True, nogil=True)
def cut(tree, count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Cut a tree of merges where a number of parts is left.

    Args:
        tree: `(n - 1, 4)` merges as `scipy.cluster.hierarchy.linkage` lists them.
        count: Parts, at most n.

    Returns:
        `(n,)` int64 part of each, numbered by their first member.
    """
    size = tree.shape[0] + 1
    root = np.arange(2 * size - 1)
    for merge in range(size - count):
        root[np.int64(tree[merge, 0])] = size + merge
        root[np.int64(tree[merge, 1])] = size + merge
    number = np.full(2 * size - 1, -1, dtype=np.int64)
    part = np.empty(size, dtype=np.int64)
    found = 0
    for one in range(size):
        top = one
        while root[top] != top:
            top = root[top]
        if number[top] < 0:
            number[top] = found
            found += 1
        part[one] = number[top]
    return part


@njit(cache=True, nogil=True)
def means_between(nats, part, count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the mean nats between the accounts of each two parts, `(count, count)`; 0 within a single account."""
    total = np.zeros((count, count))
    size = np.zeros(count)
    for i in range(nats.shape[0]):
        size[part[i]] += 1.0
        for j in range(nats.shape[0]):
            if i != j:
                total[part[i], part[j]] += nats[i, j]
    for i in range(count):
        for j in range(count):
            pairs = size[i] * (size[j] - 1.0 if i == j else size[j])
            total[i, j] /= max(pairs, 1.0)
    return total
