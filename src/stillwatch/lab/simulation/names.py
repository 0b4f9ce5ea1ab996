"""The names that a scenario may use: kinds of text, languages, countries, client libraries and so on."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from stillwatch.lab.simulation.clients import LIBRARIES
from stillwatch.lab.simulation.networks import Kind
from stillwatch.lab.simulation.places import CODES, LANGUAGES

SURFACES = ("api", "app", "bedrock", "vertex", "batch")
MODELS = ("large", "mini", "reason")
PROGRAMMES = ("standard", "education", "startup", "security_research", "enterprise")
DOMAINS = ("public", "company", "university")
PURPOSES = ("licensed_distillation", "evaluation", "research", "contracted_resale")


@cache
def packaged_table(name: str) -> dict[str, Any]:
    """Read one of the packaged YAML tables: archetypes, adversaries, texts."""
    text = (files("stillwatch.lab.simulation") / f"{name}.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def names_of(what: str) -> tuple[str, ...]:
    """List the names of one kind of thing."""
    return {
        "text": tuple(packaged_table("texts")),
        "language": LANGUAGES,
        "country": CODES,
        "surface": SURFACES,
        "model": MODELS,
        "programme": PROGRAMMES,
        "domain": DOMAINS,
        "network": tuple(kind.name.lower() for kind in Kind),
        "library": tuple(library.name for library in LIBRARIES),
        "purpose": PURPOSES,
    }[what]


def weighted(what: str, *, may_be_empty: bool = False) -> Callable[[dict[str, float]], dict[str, float]]:
    """Make a check of weights by name: names must be known and weights positive in sum."""

    def check(weights: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(weights) - set(names_of(what)))
        if unknown:
            raise ValueError(f"there is no {what} {unknown[0]}; there are {', '.join(names_of(what))}")
        if not weights and may_be_empty:
            return weights
        if min(weights.values(), default=0) < 0 or sum(weights.values()) <= 0:
            raise ValueError("weights must not be negative and not all zero")
        return weights

    return check


def known(what: str) -> Callable[[str], str]:
    """Make a check of one name, which may be empty."""

    def check(name: str) -> str:
        if name and name not in names_of(what):
            raise ValueError(f"there is no {what} {name}; there are {', '.join(names_of(what))}")
        return name

    return check
