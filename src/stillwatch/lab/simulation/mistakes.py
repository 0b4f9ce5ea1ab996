"""What can be wrong with a scenario or a grammar."""

from stillwatch.errors import InputError, UsageError


class ScenarioError(InputError):
    """A scenario file cannot be used as it is."""

    default_hint = (
        "docs/simulation.md describes every field; `stillwatch simulate --list` names the packaged scenarios"
    )


class UnknownScenarioError(UsageError):
    """No packaged scenario and no file has this name."""

    default_hint = "`stillwatch simulate --list` names the packaged scenarios; a path must end in .yml"


class GrammarError(InputError):
    """A text grammar refers to something that is not there."""

    default_hint = "docs/simulation.md describes how grammars are written"
