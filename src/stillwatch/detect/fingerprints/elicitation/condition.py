"""The conditions of rules: `asks and not homework`, `2 of them`, `1 of layout*`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.bool_]


class ConditionSyntaxError(Exception):
    """A condition cannot be read. Caught where rules are loaded and told with file and field."""


@dataclass(frozen=True, slots=True)
class Named:
    """True where the search of that name hit."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """True where the inner condition is not."""

    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Both:
    """True where both sides are."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Either:
    """True where at least one side is."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True where at least `count` of the named searches hit."""

    count: int
    names: tuple[str, ...]


Condition = Named | Not | Both | Either | AtLeast


def evaluate(condition: Condition, hits: Mapping[str, Rows]) -> Rows:
    """Evaluate a condition on every row at once.

    Args:
        condition: The parsed condition.
        hits: `(n_rows,)` bool for each search by name.

    Returns:
        `(n_rows,)` bool.
    """
    match condition:
        case Named(name):
            return hits[name]
        case Not(inner):
            return ~evaluate(inner, hits)
        case Both(left, right):
            return evaluate(left, hits) & evaluate(right, hits)
        case Either(left, right):
            return evaluate(left, hits) | evaluate(right, hits)
        case AtLeast(count, names):
            total: npt.NDArray[np.int16] = np.stack([hits[name] for name in names]).sum(
                axis=0, dtype=np.int16
            )
            return np.asarray(total >= count, np.bool_)


def parse_condition(text: str, names: Collection[str]) -> Condition:
    """Parse a condition over the searches of a rule.

    Args:
        text: As written: `and`, `or`, `not`, parentheses, `N of them`, `all of them`, `N of prefix*`.
        names: The searches there are.

    Raises:
        ConditionSyntaxError: The text is no condition, names an unknown search, or is true for a request that
            nothing hit.
    """
    parser = _Parser(text, names)
    condition = parser.parse()
    nothing = {name: np.zeros(1, np.bool_) for name in names}
    if evaluate(condition, nothing)[0]:
        raise ConditionSyntaxError(f"{text!r} is true for every request that no search hits")
    return condition


class _Parser:
    """Recursive descent; `not` binds tightest, then `and`, then `or`."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.text = text
        self.names = names
        self.tokens = re.findall(r"[()]|[^\s()]+", text)
        self.position = 0

    def parse(self) -> Condition:
        condition = self._or()
        if self.position < len(self.tokens):
            raise ConditionSyntaxError(f"{self.text!r}: did not expect {self.tokens[self.position]!r}")
        return condition

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        if not token:
            raise ConditionSyntaxError(f"{self.text!r} ends too early")
        self.position += 1
        return token

    def _or(self) -> Condition:
        left = self._and()
        while self._peek() == "or":
            self._take()
            left = Either(left, self._and())
        return left

    def _and(self) -> Condition:
        left = self._not()
        while self._peek() == "and":
            self._take()
            left = Both(left, self._not())
        return left

    def _not(self) -> Condition:
        word = self._take()
        if word == "not":
            return Not(self._not())
        if word == "(":
            inner = self._or()
            if self._take() != ")":
                raise ConditionSyntaxError(f"{self.text!r}: a parenthesis is not closed")
            return inner
        if self._peek() == "of":
            return self._count(word)
        if word not in self.names:
            known = ", ".join(sorted(self.names))
            raise ConditionSyntaxError(f"{self.text!r} names {word!r}, and the searches are {known}")
        return Named(word)

    def _count(self, amount: str) -> Condition:
        self._take()
        target = self._take()
        names = tuple(name for name in self.names if target == "them" or fnmatchcase(name, target))
        if not names:
            raise ConditionSyntaxError(f"{self.text!r}: no search is called {target!r}")
        count = len(names) if amount == "all" else int(amount) if amount.isascii() and amount.isdigit() else 0
        if not 0 < count <= len(names):
            raise ConditionSyntaxError(f"{self.text!r}: {amount!r} of {len(names)} searches is not possible")
        return AtLeast(count, names)
