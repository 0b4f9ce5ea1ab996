"""Gateways: where verdicts meet calls.

    asgi.py        middleware before any OpenAI-compatible server that speaks ASGI, with a guard in its process
    litellm.py     the same inside LiteLLM's proxy, as one of its callbacks
    guardrail.py   LiteLLM's generic guardrail interface, served by the node
    ext_authz.py   Envoy's external authorization over HTTP, served by the node

None of them tells a customer why: a refusal by the bucket looks like any rate limit, and a block names no trigger.
"""
