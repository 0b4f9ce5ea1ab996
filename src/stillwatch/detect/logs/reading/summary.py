"""What was read, and which evidence the logs cannot give."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from stillwatch.domain.requests import REQUESTS

EVIDENCE = {
    "api_key_id": "no API keys: hand-over between keys of one account cannot be seen",
    "user_id": "no end users: several people behind one account cannot be told apart",
    "conversation_id": "no conversation ids: hand-over of a conversation between accounts cannot be tested",
    "client_address": "no client addresses: network links cannot be tested",
    "client_asn": "no autonomous systems: hosting providers cannot be told from home networks",
    "client_country": "no client countries: the spread over countries cannot be described",
    "tls_ja4": "no TLS fingerprints: client links rest on the user agent alone",
    "user_agent": "no user agents: client links rest on the TLS fingerprint alone",
    "surface": "no surfaces: API, app and cloud traffic cannot be told apart",
    "model": "no model names: release pivots and prevalence by model cannot be computed",
    "operation": "no operation names: chat and embedding calls cannot be told apart",
    "system_instructions": "no system instructions: templates are sought in prompts alone",
    "prompt": "no prompts: templates, elicitation and repeated prompts cannot be tested",
    "message_count": "no message counts: single-turn share cannot be computed",
    "tool_count": "no tool counts: tool use cannot be compared",
    "temperature": "no temperatures: sampling parameters cannot be compared",
    "top_p": "no top_p: sampling parameters are compared without it",
    "choice_count": "no choice counts: multi-sample harvesting cannot be seen",
    "max_tokens": "no output limits: saturated limits cannot be seen",
    "logprobs": "no logprobs flag: logprob harvesting cannot be seen",
    "top_logprobs": "no top_logprobs: the depth of logprob harvesting cannot be seen",
    "stream": "no stream flag: streaming clients cannot be compared",
    "reasoning_effort": "no reasoning effort: reasoning-trace demand is judged by tokens alone",
    "response_format": "no response formats: structured-output demand cannot be seen",
    "input_tokens": "no input tokens: volumes are counted in requests",
    "output_tokens": "no output tokens: output hunger and token volumes cannot be computed",
    "reasoning_tokens": "no reasoning tokens: reasoning demand cannot be measured",
    "finish_reason": "no finish reasons: saturated outputs cannot be seen",
    "status": "no status codes: refused and limited requests cannot be told from answered ones",
    "latency_ms": "no latencies: service load is estimated from tokens",
}
"""What a column's absence costs, one plain sentence each."""

NO_CLIENTS = "no TLS fingerprints and no user agents: client links cannot be tested"


@dataclass(slots=True)
class ReadSummary:
    """Counts of one reading.

    Args:
        rows: Requests that were let in.
        rejected: Lines or rows that were refused.
        ignored: Lines that are no request and need not be: blank lines, other spans, the half of a joined pair.
        files: Files that were opened.
        formats: Requests by log format.
        skipped: Files that were passed over, with the reason.
        notes: Things a person should know, in plain sentences.
        filled: Requests with a value, by canonical column.
    """

    rows: int = 0
    rejected: int = 0
    ignored: int = 0
    files: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    filled: Counter[str] = field(default_factory=Counter)

    def count(self, batch: pa.RecordBatch, log_format: str) -> None:
        """Add one batch of admitted rows."""
        self.rows += batch.num_rows
        self.formats[log_format] += batch.num_rows
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            self.filled[name] += len(array) - array.null_count

    def note(self, sentence: str) -> None:
        """Remember a sentence once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Canonical columns without a single value, in canonical order."""
        return tuple(name for name in REQUESTS.names if not self.filled[name])

    @property
    def missing_evidence(self) -> tuple[str, ...]:
        """What the missing columns cost, one plain sentence each. Empty when nothing was read."""
        if not self.rows:
            return ()
        missing = self.missing_columns
        sentences = [EVIDENCE[name] for name in missing if name in EVIDENCE]
        if {"tls_ja4", "user_agent"} <= set(missing):
            both = (EVIDENCE["tls_ja4"], EVIDENCE["user_agent"])
            sentences = [NO_CLIENTS, *(sentence for sentence in sentences if sentence not in both)]
        return tuple(sentences)
