"""`stillwatch node`: receive requests as they happen, detect while they do, decide in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from stillwatch.errors import UsageError

node = App(
    name="node", help_format="plaintext", help_formatter="plain", default_parameter=Parameter(negative=())
)
token = App(name="token", help="Make, list and revoke API tokens.")
node.command(token)

DEFAULT_DATA = Path("stillwatch-node")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@node.default
def run(
    *,
    data: Path = DEFAULT_DATA,
    listen: str = "127.0.0.1:8585",
    database: str | None = None,
    broker: str | None = None,
    stream: str = "STILLWATCH",
    subject: str = "stillwatch.requests",
    every: str = "1m",
    window: str = "28d",
    archive: str | None = None,
    accounts: str | None = None,
    authorizations: str | None = None,
    baseline: str | None = None,
    playbook: str | None = None,
    rules: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    columns: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    watch: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    insecure: bool = False,
    spool_mib: int = 8_192,
    min_free_mib: int = 256,
    threads: int = 1,
    fdr: float | None = None,
) -> int:
    """Run a node: receive requests, detect every minute, keep cases, answer gateways.

    Everything it keeps is in one folder. Requests come by POST /v1/requests and /v1/traces, from a NATS stream, or
    from log files in a folder. Make a token for each sender with `stillwatch node token add`.

    Args:
        data: Folder of the node: spool, profiles, tokens, and the database unless --database names another.
        listen: Address and port; only this machine by default.
        database: URL of the database of cases and decisions, as postgresql://user@host/name.
        broker: URL of a NATS server with JetStream, as nats://host:4222.
        stream: Name of the stream.
        subject: Subject of the messages that hold requests.
        every: Time between rounds of detection, as 30s, 1m or 1h.
        window: Days that are kept and judged, as 28d.
        archive: Folder for the facts of days that leave the window; without it they are deleted.
        accounts: Accounts table (Parquet, JSON lines or CSV), read again in each round.
        authorizations: Recorded permissions, read again in each round.
        baseline: State folder of a period believed ordinary, to calibrate on.
        playbook: Playbook file instead of the shipped one.
        rules: Folders or files with elicitation rules to use instead of the shipped ones.
        columns: Your own names of columns in followed files, as account_id=org_id.
        watch: Folders whose log files are followed as they grow.
        tls_cert: Certificate (PEM). With --tls-key, the node speaks TLS.
        tls_key: Key of the certificate (PEM).
        insecure: Listen beyond this machine without TLS, as behind a proxy that has it.
        spool_mib: Most MiB that wait for detection; beyond that, senders are told to try later.
        min_free_mib: MiB of the disk that stay free.
        threads: Threads of detection.
        fdr: Share of the findings that may be false discoveries; 0.05 by default.

    Returns:
        0 when it was told to stop.
    """
    from stillwatch.detect.logs import columns_map_of  # noqa: PLC0415 - --help does not pay for the node
    from stillwatch.respond.node.options import DetectorOptions, NodeOptions  # noqa: PLC0415
    from stillwatch.respond.node.service import serve  # noqa: PLC0415
    from stillwatch.settings import load  # noqa: PLC0415

    host, port = _address(listen)
    detector = DetectorOptions(
        data=str(data),
        database=database or load().node.database,
        accounts=accounts or "",
        authorizations=authorizations or "",
        baseline=baseline or "",
        rules=rules,
        playbook=playbook or "",
        window_days=max(1, round(_seconds(window, "--window") / 86_400)),
        archive=archive or "",
        fdr=load({"scan": {"fdr": fdr}}).scan.fdr,
        threads=threads,
    )
    serve(
        NodeOptions(
            detector,
            host=host,
            port=port,
            every_s=_seconds(every, "--every"),
            broker=broker or "",
            stream=stream,
            subject=subject,
            watch=watch,
            columns=columns_map_of(columns),
            tls_certificate=tls_cert,
            tls_key=tls_key,
            insecure=insecure,
            spool_bytes=spool_mib << 20,
            min_free_bytes=min_free_mib << 20,
        )
    )
    return 0


@token.command
def add(
    name: str,
    *,
    scope: Annotated[tuple[Literal["ingest", "decide", "analyst", "admin"], ...], Parameter(negative=())],
    rate: float = 2_000.0,
    expires: str | None = None,
    data: Path = DEFAULT_DATA,
) -> int:
    """Make a token and print it. It is shown once and kept nowhere.

    Args:
        name: What you call it: who uses it, and for what.
        scope: What it is for: ingest, decide, analyst or admin; may be given several times.
        rate: Requests it may make in a second.
        expires: Time until it stops working, as 90d; without it, never.
        data: Folder of the node.

    Returns:
        0.
    """
    from stillwatch.respond.node.clock import wall_clock  # noqa: PLC0415 - --help does not pay for the node
    from stillwatch.respond.node.tokens import TokenBook  # noqa: PLC0415
    from stillwatch.respond.web.interface import Scope  # noqa: PLC0415

    until = None
    if expires is not None:
        until = datetime.now(UTC) + timedelta(seconds=_seconds(expires, "--expires"))
    _, text = TokenBook(data, wall_clock).add(
        name, [Scope(one) for one in scope], rate_per_s=rate, expires_at=until
    )
    print(text)
    return 0


@token.command(name="list")
def list_tokens(*, data: Path = DEFAULT_DATA) -> int:
    """List the tokens; their secrets are not known.

    Args:
        data: Folder of the node.

    Returns:
        0.
    """
    from stillwatch.respond.node.clock import wall_clock  # noqa: PLC0415 - --help does not pay for the node
    from stillwatch.respond.node.tokens import TokenBook  # noqa: PLC0415

    now = wall_clock()
    for one in TokenBook(data, wall_clock).tokens():
        state = "valid" if one.is_valid(now) else "revoked" if one.revoked_at else "expired"
        scopes = ",".join(one.scopes)
        print(
            f"{one.token_id}  {state:<8}{scopes:<22}{one.rate_per_s:>8g}/s  {one.created_at:%Y-%m-%d}  {one.name}"
        )
    return 0


@token.command
def revoke(token_id: str, *, data: Path = DEFAULT_DATA) -> int:
    """Revoke a token. A running node refuses it within a second.

    Args:
        token_id: The first column of `stillwatch node token list`.
        data: Folder of the node.

    Returns:
        0.
    """
    from stillwatch.respond.node.clock import wall_clock  # noqa: PLC0415 - --help does not pay for the node
    from stillwatch.respond.node.tokens import TokenBook  # noqa: PLC0415

    gone = TokenBook(data, wall_clock).revoke(token_id)
    print(f"revoked {gone.token_id} ({gone.name})")
    return 0


def _address(text: str) -> tuple[str, int]:
    """Read `127.0.0.1:8585` or `[::1]:8585`."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535 or not host:
        raise UsageError(f"--listen {text} is no address", hint="write --listen 127.0.0.1:8585")
    return host.strip("[]"), int(port)


def _seconds(text: str, flag: str) -> float:
    """Read `30s`, `1m`, `2h` or `28d`."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdigit() or int(number) < 1:
        raise UsageError(f"{flag} {text} is no length of time", hint=f"write {flag} 30s, 5m, 2h or 28d")
    return int(number) * _UNITS[unit]
