"""Weigh what pairs of accounts share, compiled: one walk over the two accounts' sorted rows for each pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

CHUNK = 16_384  # pairs weighed at a time: what is known of them stays in the processor's cache
SEARCHED = 16  # rows this many times longer than the other are searched, not walked


def in_chunks(work: Callable[[slice], None], count: int, threads: int) -> None:
    """Call `work` for all chunks of `count` pairs, in several threads where there are many."""
    chunks = [slice(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
    if threads < 2 or len(chunks) < 2:
        for chunk in chunks:
            work(chunk)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, chunk) for chunk in chunks]:
            done.result()


@njit(cache=True, nogil=True)
def _next_at_least(values, first, last, wanted):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the first place in the sorted `values[first:last]` whose value is not below the wanted one."""
    step = 1
    low = first
    while low + step < last and values[low + step] < wanted:
        low += step
        step *= 2
    high = min(low + step, last)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def shared_nats(pointers, values, kind_of, nats_of, left, right, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Find the rarest value of each kind that each pair shares.

    Args:
        pointers: `(n_accounts + 1,)` where each account's values begin.
        values: `(n,)` values of the accounts, sorted within each.
        kind_of: `(n_values,)` the kind of each value, a column of `out`.
        nats_of: `(n_values,)` what sharing it is worth.
        left: `(m,)` accounts.
        right: `(m,)` accounts.
        out: `(m, >= n_kinds)` zeros, filled.
    """
    for k in range(left.shape[0]):
        a, b = left[k], right[k]
        if pointers[a + 1] - pointers[a] > pointers[b + 1] - pointers[b]:
            a, b = b, a
        i, i_end, j, j_end = pointers[a], pointers[a + 1], pointers[b], pointers[b + 1]
        searched = j_end - j > SEARCHED * (i_end - i)
        while i < i_end and j < j_end:
            mine = values[i]
            if values[j] < mine:
                j = _next_at_least(values, j, j_end, mine) if searched else j + 1
                continue
            if values[j] == mine:
                kind = kind_of[mine]
                out[k, kind] = max(out[k, kind], nats_of[mine])
                j += 1
            i += 1


@njit(cache=True, nogil=True)
def template_sums(pointers, families, strength, surprise, direction, of_prompt, left, right, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Add up what the templates that each pair shares say.

    Args:
        pointers: `(n_accounts + 1,)` where each account's families begin.
        families: `(n,)` families of the accounts, sorted within each.
        strength: `(n,)` how surely the account uses the family; 0 = it tells nothing.
        surprise: `(n,)` strength times the nats of that account using the family by chance.
        direction: `(n,)` part of the unit vector of the account's demand.
        of_prompt: `(n_families,)` 1 for a family of prompts, 0 for one of system instructions.
        left: `(m,)` accounts.
        right: `(m,)` accounts.
        out: `(m, 3)` zeros, filled: nats of all families, nats of those of prompts, cosine of the demands.
    """
    for k in range(left.shape[0]):
        i, i_end = pointers[left[k]], pointers[left[k] + 1]
        j, j_end = pointers[right[k]], pointers[right[k] + 1]
        while i < i_end and j < j_end:
            if families[i] < families[j]:
                i += 1
            elif families[i] > families[j]:
                j += 1
            else:
                nats = 0.5 * (surprise[i] * strength[j] + strength[i] * surprise[j])
                out[k, 0] += nats
                out[k, 1] += nats * of_prompt[families[i]]
                out[k, 2] += direction[i] * direction[j]
                i += 1
                j += 1


@njit(cache=True, nogil=True)
def _bits(word):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Count the bits of a word: pairs, then fours, then bytes, added up by one multiplication."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def poisson_tail_nats(count, mean):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return `-log P(X >= count)` of a Poisson variable; 0 where the count is not above the mean."""
    if count <= mean or mean <= 0.0:
        return 0.0
    first = -mean + count * math.log(mean) - math.lgamma(count + 1.0)
    term, total, k = 1.0, 1.0, count
    while term > 1e-12 * total:
        k += 1.0
        term *= mean / k
        total += term
    return -(first + math.log(total))


@njit(cache=True, nogil=True)
def hour_nats(words, count, crowding, left, right, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Weigh the hours in which both accounts of each pair were active.

    Args:
        words: `(n_accounts, n_words)` uint64, one bit for each hour.
        count: `(n_accounts,)` hours active.
        crowding: Chance that two random active account-hours fall into one hour.
        left: `(m,)` accounts.
        right: `(m,)` accounts.
        out: `(m,)` filled with nats.
    """
    for k in range(left.shape[0]):
        common = 0
        for word in range(words.shape[1]):
            common += _bits(words[left[k], word] & words[right[k], word])
        out[k] = poisson_tail_nats(float(common), count[left[k]] * count[right[k]] * crowding)


@njit(cache=True, nogil=True)
def keep_strongest(out, columns):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Keep only the strongest of some columns of each row, the first of equals."""
    for k in range(out.shape[0]):
        best = -1
        for column in columns:
            if best < 0 or out[k, column] > out[k, best]:
                best = column
        for column in columns:
            if column != best:
                out[k, column] = 0.0


@njit(cache=True, nogil=True)
def cap_together(out, columns, ceiling):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Scale some columns of each row down to a common ceiling."""
    for k in range(out.shape[0]):
        together = 0.0
        for column in columns:
            together += out[k, column]
        if together > ceiling:
            for column in columns:
                out[k, column] *= ceiling / together
