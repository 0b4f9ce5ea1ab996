"""Elicitation rules: prompts per second on one core, for all shipped rules.

python -m benchmarks.elicitation_rules               200,000 invented prompts of about 300 characters
python -m benchmarks.elicitation_rules --rows 20000

Then the same in two threads at once, which says something only with two cores to spare. Beside it, the same phrases as plain regular expressions, one after the other, on a small sample.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, Rule, load_rules
from stillwatch.detect.fingerprints.elicitation.normalizing import prepare_text, squeeze_text

ROWS = 200_000
_PLAIN_ROWS = 500
_REPEATS = 5
_PROMPT_CHARACTERS = 300
_ELICITING_SHARE = 0.05
_WORDS = [
    "the",
    "a",
    "of",
    "to",
    "in",
    "and",
    "my",
    "for",
    "with",
    "please",
    "how",
    "can",
    "you",
    "is",
    "it",
    "that",
    "this",
    "on",
    "be",
    "write",
    "about",
    "code",
    "what",
    "explain",
    "do",
    "function",
    "example",
    "error",
    "list",
    "of",
    "help",
    "me",
    "number",
    "data",
    "file",
    "make",
    "need",
    "want",
    "time",
    "work",
    "first",
    "good",
    "question",
    "answer",
    "between",
    "two",
    "system",
    "user",
    "test",
    "project",
    "team",
    "page",
    "email",
    "price",
    "report",
    "class",
    "value",
    "change",
    "reason",
    "history",
    "water",
    "city",
    "school",
]
_FOREIGN = (
    "请问这个问题怎么解决",
    "この文章について教えてください",
    "как это сделать правильно",
    "¿cómo puedo mejorar esto?",
)


def invent_prompts(rows: int, rules: Sequence[Rule], rng: np.random.Generator) -> pa.Array:
    """Return prompts of everyday words, some foreign ones, and a few examples of rules among them."""
    examples = [example.prompt for rule in rules for example in rule.examples.match]
    prompts = []
    for _ in range(rows):
        words = list(rng.choice(_WORDS, _PROMPT_CHARACTERS // 5))
        if rng.random() < _ELICITING_SHARE:
            words.insert(int(rng.integers(len(words))), examples[int(rng.integers(len(examples)))])
        elif rng.random() < 0.1:
            words = [_FOREIGN[int(rng.integers(len(_FOREIGN)))]] * 12
        prompts.append(" ".join(words))
    return pa.array(prompts)


def cpu_s(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    """Return the least processor time of several runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def two_threads_s(matcher: ElicitationMatcher, prompts: pa.Array, repeats: int = _REPEATS) -> float:
    """Return the least wall-clock time in which two threads match half of the prompts each, in seconds."""
    half = len(prompts) // 2
    halves = [prompts.slice(0, half), prompts.slice(half)]
    best = float("inf")
    with ThreadPoolExecutor(len(halves)) as pool:
        for _ in range(repeats):
            start = time.perf_counter()
            list(pool.map(lambda part: matcher.match(part, pa.nulls(len(part), pa.string())), halves))
            best = min(best, time.perf_counter() - start)
    return best


def plain_expressions(prompts: Sequence[str], rules: Sequence[Rule]) -> int:
    """Search every phrase of every rule as a regular expression, and count the hits."""
    patterns = [
        re.compile(phrase.pattern)
        for rule in rules
        for search in rule.searches.values()
        for phrases in search.phrase_fields.values()
        for phrase in phrases
    ]
    texts = [squeeze_text(prepare_text(text)) for text in prompts]
    return sum(pattern.search(text) is not None for pattern in patterns for text in texts)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args(list(arguments)).rows
    pa.set_cpu_count(1)
    rules = load_rules()
    matcher = ElicitationMatcher.from_rules(rules)
    prompts = invent_prompts(rows, rules, np.random.default_rng(7))
    systems = pa.nulls(rows, pa.string())
    matcher.match(prompts.slice(0, 100), systems.slice(0, 100))
    ours_s = cpu_s(lambda: matcher.match(prompts, systems)) / rows
    both_s = two_threads_s(matcher, prompts) / rows
    sample = prompts.slice(0, min(rows, _PLAIN_ROWS)).to_pylist()
    plain_s = cpu_s(lambda: plain_expressions(sample, rules), repeats=1) / len(sample)
    print(f"{len(rules)} rules, {rows:,} prompts of {prompts.nbytes / rows:.0f} bytes, one core")
    print(f"shipped scanner        {ours_s * 1e6:10.2f} us a prompt  {1 / ours_s:12,.0f} prompts/s")
    print(f"the same, two threads  {both_s * 1e6:10.2f} us a prompt  {1 / both_s:12,.0f} prompts/s")
    print(f"regular expressions    {plain_s * 1e6:10.2f} us a prompt  {1 / plain_s:12,.0f} prompts/s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
