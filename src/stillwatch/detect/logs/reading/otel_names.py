"""Names of span attributes, old and new, and what they stand for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

NAMES: Mapping[str, str] = {
    "gen_ai.operation.name": "operation",
    "gen_ai.provider.name": "provider",
    "gen_ai.system": "provider",
    "gen_ai.request.model": "model",
    "gen_ai.conversation.id": "conversation_id",
    "session.id": "conversation_id",
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.top_p": "top_p",
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.choice.count": "choice_count",
    "gen_ai.request.n": "choice_count",
    "gen_ai.request.stream": "stream",
    "gen_ai.request.is_stream": "stream",
    "llm.is_streaming": "stream",
    "gen_ai.request.reasoning.level": "reasoning_effort",
    "gen_ai.request.reasoning_effort": "reasoning_effort",
    "gen_ai.request.logprobs": "logprobs",
    "gen_ai.request.top_logprobs": "top_logprobs",
    "gen_ai.output.type": "output_type",
    "gen_ai.openai.request.response_format": "response_format",
    "openai.request.response_format": "response_format",
    "gen_ai.response.id": "response_id",
    "gen_ai.response.finish_reasons": "finish_reasons",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.prompt_tokens": "input_tokens",
    "llm.usage.prompt_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.completion_tokens": "output_tokens",
    "llm.usage.completion_tokens": "output_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
    "gen_ai.usage.reasoning_tokens": "reasoning_tokens",
    "gen_ai.input.messages": "input_messages",
    "gen_ai.prompt": "input_messages",
    "gen_ai.system_instructions": "system_instructions",
    "gen_ai.tool.definitions": "tool_definitions",
    "gen_ai.request.tools": "tool_definitions",
    "client.address": "client_address",
    "http.client_ip": "client_address",
    "net.peer.ip": "client_address",
    "client.as.number": "client_asn",
    "client.geo.country_iso_code": "client_country",
    "geo.country.iso_code": "client_country",
    "tls.client.ja4": "tls_ja4",
    "user_agent.original": "user_agent",
    "http.user_agent": "user_agent",
    "enduser.pseudo.id": "user_id",
    "enduser.id": "user_id",
    "user.id": "user_id",
    "user.hash": "user_id",
    "error.type": "error",
    "http.response.status_code": "status",
    "http.status_code": "status",
    "account.id": "account_id",
    "organization.id": "account_id",
    "tenant.id": "account_id",
    "metadata.user_api_key_org_id": "account_id",
    "metadata.user_api_key_team_id": "account_id",
    "api_key.id": "api_key_id",
    "metadata.user_api_key_hash": "api_key_id",
}
"""What each name stands for. Of two names for one thing the one that stands earlier here is believed."""

_RANKS = {name: rank for rank, name in enumerate(NAMES)}
UNKNOWN_RANK = len(_RANKS) + 1

_ENDINGS: Mapping[str, str] = {
    ".account.id": "account_id",
    ".account_id": "account_id",
    ".organization.id": "account_id",
    ".organization_id": "account_id",
    ".tenant.id": "account_id",
    ".api_key.id": "api_key_id",
    ".api_key_id": "api_key_id",
    ".client.asn": "client_asn",
    ".client.country": "client_country",
    ".client.ja4": "tls_ja4",
    ".surface": "surface",
    ".request.reasoning_effort": "reasoning_effort",
    ".request.logprobs": "logprobs",
    ".request.top_logprobs": "top_logprobs",
}
_NOT_THE_CUSTOMER = ("cloud.", "aws.", "gcp.", "azure.", "k8s.", "host.", "service.")


@lru_cache(maxsize=4_096)
def slot_of(name: str) -> str | None:
    """Return what an attribute stands for.

    Args:
        name: The attribute's name.

    Returns:
        A canonical column, or a helper name such as `input_messages`; None for anything else.
    """
    if name in NAMES:
        return NAMES[name]
    if name.startswith(_NOT_THE_CUSTOMER):
        return None
    return next((slot for ending, slot in _ENDINGS.items() if name.endswith(ending)), None)


def rank_of(name: str) -> int:
    """Return how much a name is believed against another for the same thing; smaller is more."""
    return _RANKS.get(name, len(_RANKS))


_NO_MODEL_CALLS = frozenset({"execute_tool", "create_agent", "invoke_agent", "retrieval"})


def is_generation(named: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Say whether a span is a call to a model, and not a tool, an agent or plain HTTP.

    Args:
        named: The span's values by what they stand for.
        attributes: All of its attributes.
    """
    if named.get("operation") in _NO_MODEL_CALLS:
        return False
    if "operation" in named or "model" in named:
        return True
    return any(name.startswith(("gen_ai.usage.", "gen_ai.request.")) for name in attributes)
