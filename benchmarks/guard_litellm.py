"""What does the guard add to LiteLLM's proxy: from inside, and over HTTP through the node?

    ./run bench guard_litellm             three proxies, about two minutes

One call at a time, in turn to each proxy. The processor time of the proxy itself is shown beside what the client waits:
on a busy machine it is the steadier of the two.
"""

import argparse
import json
import socket
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.guard_servers import Running, now, scratch, server
from benchmarks.results import write_section
from stillwatch.respond.node.tokens import TokenBook
from stillwatch.respond.store import open_store
from stillwatch.respond.web.interface import Scope

ROUNDS = 30
_CALLS = 20
_WARM_UP = 60
_MOST = 1.02
_KEY = "sk-made-up-master-key-for-benchmarks"
_BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello there. " * 24}]}).encode()


@dataclass
class Proxy:
    """One proxy and what was measured of it.

    Args:
        running: Its process.
        medians_ms: Median milliseconds of a call, by round.
        cpu_ms: Milliseconds of processor time of a call, by round.
    """

    running: Running
    medians_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def ask(self, connection: socket.socket) -> float:
        """Make one call over a connection that stays open; return its milliseconds."""
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_KEY}\r\n"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
        started = time.perf_counter()
        connection.sendall((head + kind).encode() + _BODY)
        answer = b""
        while not answer.endswith(b"}"):
            chunk = connection.recv(65_536)
            if not chunk:
                raise RuntimeError(f"the proxy closed the connection after {answer[:300]!r}")
            answer += chunk
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer[:500].decode(errors="replace"))
        return (time.perf_counter() - started) * 1_000

    def warm_up(self) -> None:
        """Make calls that are not measured."""
        with socket.create_connection(("127.0.0.1", self.running.port)) as connection:
            for _ in range(_WARM_UP):
                self.ask(connection)

    def round(self) -> None:
        """Make some calls and keep their median."""
        before = self.running.cpu_s()
        with socket.create_connection(("127.0.0.1", self.running.port)) as connection:
            self.medians_ms.append(statistics.median(self.ask(connection) for _ in range(_CALLS)))
        self.cpu_ms.append((self.running.cpu_s() - before) * 1_000 / _CALLS)

    @property
    def said(self) -> str:
        """Say what was measured."""
        cpu_ms = statistics.fmean(self.cpu_ms)
        return f"p50 {statistics.median(self.medians_ms):.2f} ms, {cpu_ms:.2f} ms of processor time"


def config(model_port: int, **more: Any) -> dict[str, Any]:
    """Return a proxy's configuration with one model."""
    parameters = {"model": "openai/m", "api_base": f"http://127.0.0.1:{model_port}/v1", "api_key": "none"}
    settings: dict[str, Any] = {"telemetry": False, **more.pop("litellm_settings", {})}
    return {
        "model_list": [{"model_name": "m", "litellm_params": parameters}],
        "general_settings": {"master_key": _KEY},
        "litellm_settings": settings,
        **more,
    }


def configs(folder: Path, model_port: int, node_port: int) -> dict[str, dict[str, Any]]:
    """Return the configuration of each proxy."""
    _, token = TokenBook(folder, now).add("bench", [Scope.DECIDE], rate_per_s=1e6)
    guardrail = {
        "guardrail": "generic_guardrail_api",
        "mode": "pre_call",
        "default_on": True,
        "api_base": f"http://127.0.0.1:{node_port}",
        "headers": {"Authorization": f"Bearer {token}"},
        "unreachable_fallback": "fail_open",
    }
    inside = {"callbacks": "stillwatch.respond.gateways.litellm.logger"}
    return {
        "plain": config(model_port),
        "inside": config(model_port, litellm_settings=inside),
        "over HTTP": config(
            model_port, guardrails=[{"guardrail_name": "stillwatch", "litellm_params": guardrail}]
        ),
    }


def measured(folder: Path, rounds: int) -> dict[str, Proxy]:
    """Start everything, call each proxy in turn, and return what was measured."""
    database = f"sqlite:///{folder / 'node.db'}"
    open_store(database).close()
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    guard = {"STILLWATCH_GUARD__SOURCE": database, "STILLWATCH_GUARD__LOG": str(folder / "logs")}
    with ExitStack() as stack:
        model, node = (stack.enter_context(server(kind, folder)) for kind in ("model", "node"))
        proxies = {}
        for name, configured in configs(folder, model.port, node.port).items():
            own = folder / name.replace(" ", "_")
            own.mkdir()
            (own / "config.yaml").write_text(json.dumps(configured))  # JSON is YAML
            running = stack.enter_context(
                server("litellm", own, **offline, **(guard if name == "inside" else {}))
            )
            proxies[name] = Proxy(running)
        for proxy in proxies.values():
            proxy.warm_up()
        for _ in range(rounds):
            for proxy in proxies.values():
                proxy.round()
    return proxies


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print the claims and write them down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments).rounds
    with scratch() as folder:
        found = measured(folder, rounds)
    pairs = zip(found["inside"].medians_ms, found["plain"].medians_ms, strict=True)
    ratio = statistics.median(inside / plain for inside, plain in pairs)
    claims = [
        Claim("LiteLLM's proxy without us", found["plain"].said, None),
        Claim("with our callback inside, deciding and recording", found["inside"].said, None),
        Claim("the callback adds at most 2 % to the proxy's p50", f"{ratio - 1:+.1%}", ratio <= _MOST),
        Claim("with the generic guardrail over HTTP, LiteLLM's own client", found["over HTTP"].said, None),
    ]
    if rounds == ROUNDS:
        write_section("guard_litellm", "The guard in LiteLLM's proxy", claims_markdown(claims))
    return print_claims(claims)


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
