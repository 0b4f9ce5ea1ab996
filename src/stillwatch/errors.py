"""Every error that stillwatch raises on purpose.

The tree, with the exit code of each leaf::

    StillwatchError ............... 1
    ├── UsageError ................ 2   the command line asks for something impossible
    │   └── SettingsError ......... 2   stillwatch.toml or a STILLWATCH_* variable is wrong
    ├── InputError ................ 1   a file cannot be used as it is
    │   ├── UnknownLogFormatError . 1   no reader recognizes the file
    │   ├── MissingColumnsError ... 1   required columns are absent; names those that were found
    │   ├── RuleError ............. 1   an elicitation rule file is malformed
    │   ├── AuthorizationsError ... 1   the authorizations file is malformed
    │   ├── OwnershipError ........ 1   a register or the ownership policy cannot be read
    │   ├── ProgrammesError ....... 1   the programmes file is malformed
    │   ├── PlaybookError ......... 1   a playbook file is malformed, or asks for what is never done
    │   └── TooManyRejectedError .. 1   more lines were rejected than --max-rejected allows
    ├── NothingToReadError ........ 3   the sources hold no requests at all
    ├── StateError ................ 1   the state folder was written by something else
    │   └── StateInUseError ....... 1   another scan works on the state folder
    ├── EngineError ............... 1   the profile engine cannot be reached or refuses
    ├── StoreError ................ 1   the node's database cannot be opened, read or written
    │   └── StoreBusyError ........ 1   another writer did not end in time
    ├── AuditError ................ 1   the audit trail does not hold together
    ├── CaseError ................. 1   a case cannot be changed in this way
    │   ├── UnknownCaseError ...... 1   no case, or nothing in a case, has this id
    │   ├── CaseStateError ........ 1   the case is not in a state in which this can be done
    │   └── CaseConflictError ..... 1   somebody else changed the case in the meantime
    ├── GuardError ................ 1   a guard cannot learn what is in force; it goes on with what it knows
    ├── GrantError ................ 1   an authorization cannot be recorded or changed in this way
    ├── DecisionError ............. 1   a decision, indicator or appeal cannot be changed in this way
    │   └── UnknownDecisionError .. 1   no decision, indicator or appeal has this id
    ├── NodeError ................. 1   the node cannot do what it was asked
    │   ├── SpoolError ............ 1   the spool folder cannot be used
    │   │   └── SpoolFullError .... 1   there is no room to accept anything
    │   ├── BodyError ............. 1   the body of a request cannot be used
    │   ├── OverloadedError ....... 1   too much waits already, or the node is stopping
    │   ├── TokenError ............ 1   no token, a wrong one, or one without the scope
    │   └── RateLimitError ........ 1   a sender asks too often
    └── OutputError ............... 1   the output folder cannot be written

Each carries a message (what happened) and a hint (what to do about it). The command line prints both and
exits with the code; exit codes 11 to 14 belong to findings and are no errors. A bug is none of these and
stays loud.
"""

from collections.abc import Collection
from typing import ClassVar


class StillwatchError(Exception):
    """Base of everything a caller can expect to meet.

    Args:
        message: What happened, in one plain sentence without a final period.
        hint: What the user can do about it. Empty means that the class's own hint applies.
    """

    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str] = "run the command with --help"

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message and the hint apart, so that each front end can lay them out."""
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint


class UsageError(StillwatchError):
    """The command line asks for something impossible."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting in stillwatch.toml or the environment is unknown or has a wrong value."""

    default_hint = "see docs/settings.md for every setting, its default and its allowed values"


class InputError(StillwatchError):
    """A file cannot be used as it is."""

    default_hint = "see docs/log-formats.md for what can be read and how"


class UnknownLogFormatError(InputError):
    """No reader recognizes the file."""

    default_hint = "name the format with --log-format; docs/log-formats.md lists them"


class MissingColumnsError(InputError):
    """Required columns are absent.

    Args:
        source: The file, as the user wrote it.
        missing: The required columns that are not there.
        found: The columns that are.
        hint: What to do; empty for the standard advice.
    """

    default_hint = "rename or map the columns; docs/log-formats.md has the canonical names"

    def __init__(
        self, source: str, *, missing: Collection[str], found: Collection[str], hint: str = ""
    ) -> None:
        """Name both what is missing and what was found, which is what a person needs to fix it."""
        wanted = ", ".join(sorted(missing))
        present = ", ".join(sorted(found)) or "none"
        super().__init__(f"{source} lacks {wanted}; found {present}", hint=hint)
        self.missing = tuple(sorted(missing))
        self.found = tuple(sorted(found))


class RuleError(InputError):
    """An elicitation rule file is malformed."""

    default_hint = "run `stillwatch rules check FILE`; docs/rules.md describes the fields"


class AuthorizationsError(InputError):
    """The authorizations file is malformed."""

    default_hint = "docs/concepts.md shows a complete authorizations file"


class PlaybookError(InputError):
    """A playbook file is malformed, or asks for something that is never done."""

    default_hint = "run `stillwatch decisions playbook show` for a commented example that is valid"


class OwnershipError(InputError):
    """A register of owners, or the policy of the ownership rule, cannot be read."""

    default_hint = "docs/access.md names the files that can be read, and shows a policy"


class ProgrammesError(InputError):
    """The file of on-ramp programmes is malformed."""

    default_hint = "docs/access.md shows a complete programmes file"


class TooManyRejectedError(InputError):
    """More lines were rejected than `--max-rejected` allows. Raised after the findings are written."""

    default_hint = "read rejected.jsonl for the reasons, or raise --max-rejected"

    def __init__(self, rejected: int, total: int, allowed_share: float, *, hint: str = "") -> None:
        """Say the share that was met beside the share that was allowed."""
        share = rejected / total if total else 1.0
        super().__init__(
            f"{rejected:,} of {total:,} lines were rejected ({share:.1%}, allowed {allowed_share:.1%})",
            hint=hint,
        )
        self.rejected = rejected
        self.total = total


class NothingToReadError(StillwatchError):
    """The sources hold no requests at all."""

    exit_code = 3
    default_hint = "check the paths and globs; an empty folder is not a clean result"


class StateError(StillwatchError):
    """The state folder was written by another version or by something else."""

    default_hint = "choose a new --state folder, or delete this one and scan the logs again"


class StateInUseError(StateError):
    """Another scan works on the state folder."""

    default_hint = "wait until it ends, or end it; the lock goes with the process, there is no file to delete"


class EngineError(StillwatchError):
    """The profile engine cannot be reached, or refuses the work."""

    default_hint = "check the engine's address; without one the embedded engine is used"


class StoreError(StillwatchError):
    """The node's database cannot be opened, read or written."""

    default_hint = "check --database and whether the database can be reached; docs/cases.md has the URLs"


class StoreBusyError(StoreError):
    """Another writer did not end in time. Nothing was written."""

    default_hint = "try again; for many writers use PostgreSQL"


class AuditError(StillwatchError):
    """The audit trail does not hold together: an entry was changed, removed, inserted or moved."""

    default_hint = (
        "keep the database as it is and compare it with a backup; docs/cases.md says what each break means"
    )


class CaseError(StillwatchError):
    """A case cannot be changed in this way. Nothing was written."""

    default_hint = "look at the case with `stillwatch case show CASE`"


class UnknownCaseError(CaseError):
    """No case, or nothing in a case, has this id."""

    default_hint = "`stillwatch case list` shows every case that is not closed"


class CaseStateError(CaseError):
    """The case is not in a state in which this can be done. Nothing was written."""


class CaseConflictError(CaseError):
    """Somebody else changed the case since it was read. Nothing was written."""

    default_hint = (
        "look at the case again with `stillwatch case show CASE`, then repeat the change if it still holds"
    )


class GuardError(StillwatchError):
    """A guard cannot learn what is in force. It goes on with what it knows, and counts."""

    default_hint = "docs/decisions.md says what a guard connects to"


class GrantError(StillwatchError):
    """An authorization cannot be recorded, revoked or found in this way."""

    default_hint = "docs/access.md says what a recorded authorization needs"


class DecisionError(StillwatchError):
    """A decision, an indicator or an appeal cannot be taken or changed in this way. Nothing was written."""

    default_hint = "docs/decisions.md says what each step needs"


class UnknownDecisionError(DecisionError):
    """No decision, indicator or appeal has this id."""

    default_hint = "`stillwatch decisions list` shows what is in force"


class NodeError(StillwatchError):
    """The node cannot do what it was asked. `status` is the HTTP status that says so."""

    status: int = 500
    default_hint = "docs/node.md has the settings and the interfaces of the node"


class SpoolError(NodeError):
    """The spool folder cannot be used."""

    status = 503
    default_hint = "check that the folder named with --data exists, is yours and can be written"


class SpoolFullError(SpoolError):
    """There is no room to accept anything. What was acknowledged before is safe."""

    status = 507
    default_hint = "free disk space, or find out why detection does not keep up; then send again"


class BodyError(NodeError):
    """The body of a request cannot be used.

    Args:
        message: What is wrong with it.
        status: HTTP status that says so.
        hint: What to send instead.
    """

    default_hint = "docs/node.md shows a request for each interface"

    def __init__(self, message: str, *, status: int = 400, hint: str = "") -> None:
        """Keep the status, which is 400, 413, 415 or 422."""
        super().__init__(message, hint=hint)
        self.status = status


class OverloadedError(NodeError):
    """Too much waits already, or the node is stopping."""

    status = 503
    default_hint = "send the same requests again in a few seconds; what arrives twice counts once"


class TokenError(NodeError):
    """No token, a wrong one, or one without the scope.

    Args:
        message: What is missing.
        status: 401 without a valid token, 403 without the scope.
        hint: What to do.
    """

    default_hint = "send `Authorization: Bearer TOKEN`; make one with `stillwatch node token add`"

    def __init__(self, message: str, *, status: int = 401, hint: str = "") -> None:
        """Keep the status."""
        super().__init__(message, hint=hint)
        self.status = status


class RateLimitError(NodeError):
    """A sender asks too often.

    Args:
        message: Who and how often.
        retry_after_s: Seconds until the next request is answered.
    """

    status = 429
    default_hint = "wait as long as Retry-After says, or have the token's rate raised"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        """Keep how long to wait."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutputError(StillwatchError):
    """The output folder cannot be written."""

    default_hint = "choose a folder you may write to with --out"
