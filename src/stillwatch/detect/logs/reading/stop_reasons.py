"""Why an answer ended, in the words of chat completions."""

from collections.abc import Mapping

STOP_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
}
"""Words of Anthropic and Bedrock. A word that is not here stays as it is."""
