"""A local OpenAI-compatible model: answers at once, with reasoning, log-probabilities and as many choices as asked.

Run as a program it listens on the port it is given and keeps what it was asked under `/asked`.
"""

import json
import sys
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


class StubModel:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/asked":
            await _json(send, {"bodies": self.asked, "headers": self.headers})
            return
        raw = b""
        while True:
            message = await receive()
            raw += message.get("body", b"")
            if not message.get("more_body"):
                break
        body = json.loads(raw)
        self.asked.append(body)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if body.get("stream"):
            await _events(send, body)
        else:
            await _json(send, answer(body))


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer."""
    logprobs = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": "Hi there", "reasoning_content": "secret steps"},
            "logprobs": logprobs if body.get("logprobs") else None,
            "finish_reason": "stop",
        }
        for index in range(body.get("n") or 1)
    ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_772_442_000,
        "model": body.get("model", "m"),
        "choices": choices,
        "usage": USAGE,
    }


def pieces(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a stream."""
    shared = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_772_442_000,
        "model": body["model"],
    }
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "reasoning_content": "secret "},
        {"reasoning_content": "steps"},
        {"content": "Hi"},
        {"content": " there"},
    ]
    events = [
        {**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    events.append({**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*events, {**shared, "choices": [], "usage": USAGE}]


async def _json(send: Send, value: Any) -> None:
    raw = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


async def _events(send: Send, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for event in pieces(body):
        raw = b"data: " + json.dumps(event).encode() + b"\n\n"
        half = len(raw) // 2
        await send({"type": "http.response.body", "body": raw[:half], "more_body": True})
        await send({"type": "http.response.body", "body": raw[half:], "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


if __name__ == "__main__":
    uvicorn.run(StubModel(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off")
