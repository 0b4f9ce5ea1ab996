"""Find every signal: a file in this folder that defines `SIGNAL`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Protocol

import stillwatch.detect.signals as package

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stillwatch.detect.signals.groups import Examples, Groups


class Signal(Protocol):
    """One test of the pooled demand of a group of accounts."""

    name: ClassVar[str]
    title: ClassVar[str]
    speaks_for: ClassVar[str]
    """`distillation` or `resale`: which of the two labels a high value supports."""
    needs: ClassVar[tuple[str, ...]]
    """Measures it reads; without one of them the signal is silent."""
    min_accounts: ClassVar[int]

    def get_examples(self) -> Examples:
        """Return the accounts of a group with little of it and of one with much."""
        ...

    def measure(self, groups: Groups) -> NDArray[np.float64]:
        """Return one value per group, `(n_groups,)`, high = more of what the signal is named for."""
        ...

    def say(self, groups: Groups, index: int) -> str:
        """Say in one plain sentence, with figures, what was seen in one group."""
        ...


@cache
def signals() -> tuple[Signal, ...]:
    """Return all signals, by name."""
    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    )
    return tuple(
        sorted((module.SIGNAL for module in modules if hasattr(module, "SIGNAL")), key=lambda one: one.name)
    )


def available(groups: Groups) -> tuple[Signal, ...]:
    """Return the signals for which these groups carry the measures."""
    return tuple(one for one in signals() if all(name in groups.measures.columns for name in one.needs))
