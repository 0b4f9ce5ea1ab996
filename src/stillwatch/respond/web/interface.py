"""Each HTTP endpoint says who may call it and what it takes and gives. One that does not is a bug, found at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

ATTRIBUTE: Final = "stillwatch_interface"
Endpoint = TypeVar("Endpoint")


class Scope(StrEnum):
    """What a token is for. A token has one or several; `admin` has all."""

    INGEST = "ingest"
    DECIDE = "decide"
    ANALYST = "analyst"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Interface:
    """What is said of an endpoint, for the gate and for OpenAPI.

    Args:
        scope: Which token may call it; None for everybody.
        summary: One sentence.
        request: OpenAPI request body object; empty for none.
        responses: OpenAPI response objects by status; refusals that every endpoint shares are added.
        parameters: OpenAPI parameter objects.
        schemas: JSON Schemas that the others refer to, by name.
    """

    scope: Scope | None
    summary: str
    request: Mapping[str, Any] = field(default_factory=dict)
    responses: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Mapping[str, Any], ...] = ()
    schemas: Mapping[str, Any] = field(default_factory=dict)


def interface(
    scope: Scope | None,
    summary: str,
    *,
    request: Mapping[str, Any] | None = None,
    responses: Mapping[str, Any] | None = None,
    parameters: tuple[Mapping[str, Any], ...] = (),
    schemas: Mapping[str, Any] | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Describe an endpoint.

    Args:
        scope: Which token may call it; None for everybody.
        summary: One sentence.
        request: OpenAPI request body object.
        responses: OpenAPI response objects by status.
        parameters: OpenAPI parameter objects.
        schemas: JSON Schemas that the others refer to, by name.

    Returns:
        A decorator that leaves the endpoint as it is and remembers the description.
    """
    found = Interface(scope, summary, request or {}, responses or {}, parameters, schemas or {})

    def described(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, found)
        return endpoint

    return described


def interface_of(endpoint: object) -> Interface:
    """Return what is said of an endpoint.

    Raises:
        RuntimeError: Nothing is said; nobody could be kept from calling it.
    """
    inner = getattr(endpoint, "func", endpoint)
    found = getattr(endpoint, ATTRIBUTE, None) or getattr(inner, ATTRIBUTE, None)
    if not isinstance(found, Interface):
        raise RuntimeError(f"{endpoint!r} has no interface")  # noqa: TRY004 - a bug, not a wrong argument
    return found
