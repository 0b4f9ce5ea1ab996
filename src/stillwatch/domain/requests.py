"""The two canonical tables: `requests` and `accounts`.

Every log format is mapped onto `REQUESTS`, and nothing after the readers knows which format a row came from.
A column that a format cannot carry is null. Times are UTC with microseconds.
"""

import pyarrow as pa

TIME_TYPE = pa.timestamp("us", tz="UTC")

REQUESTS: pa.Schema = pa.schema(
    [
        pa.field("request_id", pa.string()),
        pa.field("time", TIME_TYPE),
        pa.field("account_id", pa.string()),
        pa.field("api_key_id", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("conversation_id", pa.string()),
        pa.field("client_address", pa.string()),
        pa.field("client_asn", pa.int32()),
        pa.field("client_country", pa.string()),
        pa.field("tls_ja4", pa.string()),
        pa.field("user_agent", pa.string()),
        pa.field("surface", pa.string()),
        pa.field("model", pa.string()),
        pa.field("operation", pa.string()),
        pa.field("system_instructions", pa.string()),
        pa.field("prompt", pa.string()),
        pa.field("message_count", pa.int16()),
        pa.field("tool_count", pa.int16()),
        pa.field("temperature", pa.float32()),
        pa.field("top_p", pa.float32()),
        pa.field("choice_count", pa.int16()),
        pa.field("max_tokens", pa.int32()),
        pa.field("logprobs", pa.bool_()),
        pa.field("top_logprobs", pa.int16()),
        pa.field("stream", pa.bool_()),
        pa.field("reasoning_effort", pa.string()),
        pa.field("response_format", pa.string()),
        pa.field("input_tokens", pa.int32()),
        pa.field("output_tokens", pa.int32()),
        pa.field("reasoning_tokens", pa.int32()),
        pa.field("finish_reason", pa.string()),
        pa.field("status", pa.int16()),
        pa.field("latency_ms", pa.int32()),
    ]
)
"""One row per call to the model API."""

REQUIRED_REQUEST_COLUMNS = ("request_id", "time", "account_id")
"""A row without one of these cannot be used and is rejected."""

TEXT_COLUMNS = ("system_instructions", "prompt")
"""Raw text of a customer. Read in the fingerprint stage and nowhere else."""

ACCOUNTS: pa.Schema = pa.schema(
    [
        pa.field("account_id", pa.string()),
        pa.field("created_at", TIME_TYPE),
        pa.field("account_type", pa.string()),
        pa.field("programme", pa.string()),
        pa.field("email_domain", pa.string()),
        pa.field("payment_fingerprint", pa.string()),
        pa.field("payment_bin", pa.string()),
        pa.field("billing_country", pa.string()),
        pa.field("phone_country", pa.string()),
        pa.field("verified", pa.bool_()),
        pa.field("closed_at", TIME_TYPE),
        pa.field("close_reason", pa.string()),
        pa.field("authorization", pa.string()),
    ]
)
"""One row per account; everything but the account id may be missing."""

REQUIRED_ACCOUNT_COLUMNS = ("account_id",)
