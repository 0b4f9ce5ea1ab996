"""Find every kind of link: a file in this folder that defines `LINK`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import stillwatch.detect.links as package
from stillwatch.detect.links.membership import LinkKind


@cache
def link_kinds() -> tuple[LinkKind, ...]:
    """Return all kinds of link, by name."""
    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    )
    found = [module.LINK for module in modules if hasattr(module, "LINK")]
    return tuple(sorted(found, key=lambda kind: kind.name))
