"""The page of log formats: the canonical columns, and what each format can and cannot carry."""

import inspect
import sys
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from stillwatch.detect.logs import LogFormat, log_formats
from stillwatch.domain.requests import ACCOUNTS, REQUESTS, REQUIRED_REQUEST_COLUMNS

INTRODUCTION: Final = """
# Log formats

Every format is read into the same columns. The format of a file is recognized by its content; `--log-format NAME`
forces one. Sources are files, folders, globs, `-` for standard input, and addresses that PyArrow's file systems know,
such as `s3://bucket/folder`. Compression with gzip and zstd is recognized as well. An S3-compatible store of one's own is
named by `AWS_ENDPOINT_URL` and the usual `AWS_*` credentials, or in the address:
`s3://bucket/folder?endpoint_override=store.example:9000&scheme=http`. Credentials that stand in an address appear in no
message and no file.

A line that cannot be read is written to `rejected.jsonl` with file, line and reason, and counted. It never stops a run
and never vanishes. When more than `--max-rejected` of all lines are rejected (1 % by default), the run ends with an
error after the findings are written. Requests with the same id count once, so overlapping files do no harm. A file
that lacks a required column is one clear error that names the columns that were found. How long a prompt or a line may be, and
from which moment on a time is believed, are [settings](settings.md) of the group `read`.

A log of a period that is believed ordinary (`--baseline`) has an accounts table of its own (`--baseline-accounts`). What
only one of both periods knows is left out of the comparison, because ordinary clusters could not have shown it; the run
says so. Lines of it that cannot be read go to `rejected-baseline.jsonl` and do not count towards `--max-rejected`.

## Requests

One row per call. Only the columns in bold are required. Each other column that is missing costs evidence, which the
run says once.
"""

ACCOUNTS_INTRODUCTION: Final = """
## Accounts

One row per account, given with `--accounts`. It is optional, and it is where the strongest links come from.
"""

REQUEST_MEANINGS: Final = {
    "request_id": "unique; a second row with the same id is dropped",
    "time": "start of the call, UTC",
    "account_id": "the customer that the provider can act on",
    "api_key_id": "the key that was used; a name or a hash, never the key itself",
    "user_id": "the end user, as the customer passed it",
    "conversation_id": "ties the calls of one conversation together",
    "client_address": "IP address of the client",
    "client_asn": "number of the autonomous system of that address",
    "client_country": "ISO 3166-1 code of that address",
    "tls_ja4": "JA4 fingerprint of the TLS client",
    "user_agent": "as sent",
    "surface": "api, app, bedrock, vertex or batch",
    "model": "as requested",
    "operation": "chat, text_completion, embeddings and so on",
    "system_instructions": "system text; read in the fingerprint stage and nowhere else",
    "prompt": "last user message; read in the fingerprint stage and nowhere else",
    "message_count": "messages in the request",
    "tool_count": "tools offered in the request",
    "temperature": "as requested",
    "top_p": "as requested",
    "choice_count": "answers asked for",
    "max_tokens": "limit on the answer, as requested",
    "logprobs": "whether token probabilities were asked for",
    "top_logprobs": "alternatives per token that were asked for",
    "stream": "whether the answer was streamed",
    "reasoning_effort": "as requested",
    "response_format": "text, json_object, json_schema and so on",
    "input_tokens": "tokens read",
    "output_tokens": "tokens written, reasoning included",
    "reasoning_tokens": "tokens of hidden reasoning",
    "finish_reason": "stop, length, tool_calls, content_filter, error",
    "status": "HTTP status",
    "latency_ms": "duration of the whole call",
}

ACCOUNT_MEANINGS: Final = {
    "account_id": "as in the requests",
    "created_at": "when the account was opened",
    "account_type": "individual or organization",
    "programme": "standard, education, startup, security_research or enterprise",
    "email_domain": "the part after the @ sign",
    "payment_fingerprint": "a value that is equal for equal payment instruments; never the number itself",
    "payment_bin": "issuer of the payment card",
    "billing_country": "ISO 3166-1",
    "phone_country": "ISO 3166-1",
    "verified": "whether somebody's identity was checked",
    "closed_at": "when the account was closed",
    "close_reason": "why",
    "authorization": "id of a recorded permission",
}


def page(notice: str) -> str:
    """Return the page of log formats."""
    lines = [notice, INTRODUCTION.strip(), ""]
    lines += _table(REQUESTS, REQUEST_MEANINGS, REQUIRED_REQUEST_COLUMNS)
    lines += ["", ACCOUNTS_INTRODUCTION.strip(), ""]
    lines += _table(ACCOUNTS, ACCOUNT_MEANINGS, ("account_id",))
    for log_format in log_formats().values():
        lines += _section(log_format)
    return "\n".join(lines) + "\n"


def _table(schema: pa.Schema, meanings: dict[str, str], required: tuple[str, ...]) -> Iterator[str]:
    yield from ("| column | type | meaning |", "|---|---|---|")
    for field in schema:
        name = f"**`{field.name}`**" if field.name in required else f"`{field.name}`"
        yield f"| {name} | {field.type} | {meanings[field.name]} |"


def _section(log_format: LogFormat) -> Iterator[str]:
    yield from ("", f"## {log_format.title}", "", f"`--log-format {log_format.name}`", "")
    _, _, body = (inspect.getdoc(sys.modules[log_format.sniff.__module__]) or "").partition("\n\n")
    if body:
        yield from (body, "")
    if log_format.never:
        names = ", ".join(f"`{name}`" for name in REQUESTS.names if name in log_format.never)
        yield from (f"Cannot carry {names}.", "")
    if log_format.approximate:
        yield from ("| column | what to know |", "|---|---|")
        for name, sentence in log_format.approximate.items():
            yield f"| `{name}` | {sentence} |"
