"""What people may write into decisions: something, printable, and no credentials."""

from typing import Final

from stillwatch.domain.sensitive import CREDENTIAL
from stillwatch.errors import CaseError, DecisionError
from stillwatch.respond.cases.wording import digest_of_names, linted

MAX_REASON: Final = 2_000
MAX_STATEMENT: Final = 10_000


def said(text: str, otherwise: str, most: int = MAX_REASON) -> str:
    """Return what a person wrote, without space around it.

    Args:
        text: What a person wrote.
        otherwise: What to say when it is nothing.
        most: Characters allowed.

    Raises:
        DecisionError: it is nothing, too long, or holds what does not belong there.
    """
    if not text.strip():
        raise DecisionError(otherwise, hint="say why in a sentence that can be read in a year")
    try:
        return linted(text, "the text", most)
    except CaseError as error:
        raise DecisionError(error.message, hint=error.hint) from error


def check_texts(*texts: str) -> None:
    """Refuse credentials, which the audit trail does not take.

    Raises:
        DecisionError: one of the texts holds one.
    """
    if any(CREDENTIAL.search(text) for text in texts):
        raise DecisionError("a text looks as if it held a credential", hint="leave the credential out")


def named(account_id: str) -> str:
    """Return the account for the trail; where account ids are keys, their digest."""
    return digest_of_names([account_id]) if CREDENTIAL.search(account_id) else account_id
