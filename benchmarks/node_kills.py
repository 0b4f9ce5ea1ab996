"""Durability: a node, its broker and its database are killed again and again while requests and decisions come in.

python -m benchmarks.node_kills                 fifty rounds, about four minutes
python -m benchmarks.node_kills --rounds 10

Three senders deliver over HTTP and over a JetStream, each request until it is acknowledged and some of them twice, in
random order over two days; somebody takes decisions. Afterwards the profiles must be those of a scan of the same
requests from a file, and every acknowledged decision must be there.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.node.killing import Outcome, kill_everything

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.results import write_section

ROUNDS = 50
RESTART_S = 5.0
_SEED = 20261121


def main(arguments: Sequence[str] = ()) -> int:
    """Kill, look, and return 1 if a claim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=_SEED)
    options = parser.parse_args(list(arguments))
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_everything(Path(folder), rounds=options.rounds, seed=options.seed, say=_say)
    claims = claims_on(outcome)
    write_section("node_kills", "Kills of node, broker and database", claims_markdown(claims))
    return print_claims(claims)


def claims_on(outcome: Outcome) -> list[Claim]:
    """Say what must hold after the killing.

    Args:
        outcome: What is left.
    """
    kills = ", ".join(f"{victim} {count}" for victim, count in sorted(outcome.kills.items()))
    restarts, processor = sorted(outcome.restarts_s), outcome.restarts_cpu_s
    return [
        Claim(
            f"{sum(outcome.kills.values())} times kill -9 ({kills}): nothing acknowledged lost, nothing counted twice",
            f"{outcome.requests:,} requests, profiles {'equal' if outcome.profiles_equal else 'DIFFERENT'}, "
            f"{len(outcome.problems)} unexpected answers",
            outcome.profiles_equal and not outcome.problems,
        ),
        Claim(
            "no decision lost, audit trail whole",
            f"{outcome.decisions:,} decisions, {outcome.lost_decisions} lost",
            outcome.trail_holds and outcome.decisions > 0 and outcome.lost_decisions == 0,
        ),
        Claim(
            f"restart < {RESTART_S:.0f} s",
            f"longest {max(processor):.1f} s of processor time; by the clock of this machine, which others may use, "
            f"median {restarts[len(restarts) // 2]:.1f} s, longest {restarts[-1]:.1f} s"
            if restarts
            else "no restart",
            max(processor) < RESTART_S if restarts else None,
        ),
    ]


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
