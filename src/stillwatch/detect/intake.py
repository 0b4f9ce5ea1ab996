"""Request logs into facts and profiles: everything that is done once per request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from stillwatch.detect.fingerprints.elicitation import ElicitationMatcher, load_rules
from stillwatch.detect.fingerprints.elicitation.rule import Rule
from stillwatch.detect.fingerprints.stage import fingerprinted
from stillwatch.detect.logs import ReadSummary, RejectedLog, RequestBatches, read_requests
from stillwatch.detect.options import ScanOptions
from stillwatch.detect.profiles.engine import open_engine
from stillwatch.detect.profiles.state import State
from stillwatch.detect.timing import Stopwatch

Say = Callable[[str], None]


class Intake:
    """Reads logs into state folders.

    Args:
        options: How logs are read, and where profiles are computed.
        watch: Where the time goes.
        say: Told about progress, in a few words.

    Raises:
        RuleError: A file of elicitation rules cannot be used.
    """

    def __init__(self, options: ScanOptions, watch: Stopwatch, say: Say) -> None:
        """Load the elicitation rules."""
        self._options = options
        self._watch = watch
        self._say = say
        with watch("prepare"):
            rules = load_rules(list(options.rules) or None)
            self._matcher = ElicitationMatcher.from_rules(rules)
            self._rules_digest = rules_digest(rules)

    def open_state(self, root: Path) -> State:
        """Open or begin a state folder for facts made with these rules."""
        return State(root, rules_digest=self._rules_digest)

    def read(self, state: State, logs: Sequence[str], rejected: RejectedLog) -> ReadSummary:
        """Read logs into a state folder.

        Args:
            state: Where facts and profiles go.
            logs: Files, folders, globs, object stores or `-`.
            rejected: Where refused lines go.
        """
        batches = read_requests(
            list(logs),
            log_format=self._options.log_format,
            rejected=rejected,
            now=self._options.now,
            limits=self._options.limits,
            columns_map=self._options.columns,
        )
        changed = self._take_in(state, batches)
        with self._watch("profile"):
            self._say(f"profiling {len(changed)} days")
            self._profile(state, changed)
        return batches.summary

    def _take_in(self, state: State, batches: RequestBatches) -> set[int]:
        """Reduce batches to facts; the batches are read while they are fingerprinted."""
        with self._watch("fingerprint"):
            rows = 0
            read = self._watch.each("read", batches)
            for facts, names in fingerprinted(read, self._matcher, threads=self._options.threads):
                state.add(facts)
                state.add_names(names)
                rows += facts.num_rows
                self._say(f"read {rows:,} requests")
            changed = state.settle()
            state.write_names()
        return changed

    def _profile(self, state: State, changed: set[int]) -> None:
        engine = open_engine(
            self._options.engine,
            threads=self._options.threads,
            memory_limit=f"{self._options.memory_gib:.2f}GiB",
        )
        try:
            state.profile(changed, engine)
        finally:
            engine.close()


def rules_digest(rules: Sequence[Rule]) -> str:
    """Name a set of rules, so that facts made with other rules are not mixed in."""
    text = "\n".join(rule.model_dump_json() for rule in sorted(rules, key=lambda one: str(one.id)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
