"""What a node was asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class DetectorOptions:
    """What the detection process is told.

    Args:
        data: The node's folder.
        database: URL of the store of cases; empty for the embedded one.
        accounts: The accounts table, read again in each round.
        authorizations: Recorded permissions, read again in each round.
        baseline: A state folder of a period believed ordinary.
        rules: Folders with elicitation rules to use instead of the shipped ones.
        playbook: The playbook file; empty for the shipped one.
        window_days: Days that are kept and judged.
        archive: Where days go that leave the window; empty deletes them.
        fdr: Nominal false-discovery rate.
        threads: Worker threads.
        memory_gib: Memory of the profile engine.
    """

    data: str
    database: str = ""
    accounts: str = ""
    authorizations: str = ""
    baseline: str = ""
    rules: tuple[str, ...] = ()
    playbook: str = ""
    window_days: int = 28
    archive: str = ""
    fdr: float = 0.05
    threads: int = 1
    memory_gib: float = 2.0

    @property
    def spool(self) -> Path:
        """Folder of the spool."""
        return Path(self.data) / "spool"

    @property
    def state(self) -> Path:
        """Folder of facts and profiles."""
        return Path(self.data) / "state"

    @property
    def database_url(self) -> str:
        """URL of the store, with the embedded default."""
        return self.database or f"sqlite:///{(Path(self.data) / 'stillwatch.db').resolve()}"


@dataclass(frozen=True)
class NodeOptions:
    """What the node is told.

    Args:
        detector: What its detection process is told.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        every_s: Seconds from the start of one round of detection to the next.
        broker: URL of a NATS server with JetStream; empty for none.
        stream: Name of the stream.
        subject: Subject of the messages that hold requests.
        watch: Folders whose log files are followed.
        columns: Own names of canonical columns, for followed files.
        tls_certificate: PEM file; with `tls_key`, the node speaks TLS only.
        tls_key: PEM file.
        insecure: Allow plain HTTP beyond this machine.
        spool_bytes: Most bytes in the spool.
        min_free_bytes: Bytes of the disk that stay free.
    """

    detector: DetectorOptions
    host: str = "127.0.0.1"
    port: int = 8585
    every_s: float = 60.0
    broker: str = ""
    stream: str = "STILLWATCH"
    subject: str = "stillwatch.requests"
    watch: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False
    spool_bytes: int = 8 << 30
    min_free_bytes: int = 256 << 20

    @property
    def data(self) -> Path:
        """The node's folder."""
        return Path(self.detector.data)
