"""JSON bodies: read with a bound, decoded strictly, described for OpenAPI."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from stillwatch.errors import BodyError

Body = TypeVar("Body")


async def bounded_body(request: Request, most_bytes: int) -> bytes:
    """Return the body of a request.

    Raises:
        BodyError: It is too long; no more of it was kept than the bound.
    """
    kept = bytearray()
    async for chunk in request.stream():
        kept += chunk
        if len(kept) > most_bytes:
            raise BodyError(
                f"the body has more than {most_bytes:,} bytes", status=413, hint="send less at once"
            )
    return bytes(kept)


def decoded_body(decoder: msgspec.json.Decoder[Body], raw: bytes) -> Body:
    """Return what a body holds.

    Raises:
        BodyError: It holds something else.
    """
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyError(
            f"the body cannot be used: {error}"[:500], status=422, hint="see /openapi.json"
        ) from error


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI object of a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def json_answer(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the OpenAPI object of a JSON answer."""
    content = {"application/json": {"schema": schema if schema is not None else {"type": "object"}}}
    return {"description": description, "content": content}
