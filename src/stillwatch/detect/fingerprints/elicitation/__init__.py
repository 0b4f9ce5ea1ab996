"""Elicitation: what a request asks for that is worth having as training material, by rules that labs can share."""

from stillwatch.detect.fingerprints.elicitation.examples import FailedExample, failed_examples
from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.loading import SHIPPED_RULES, load_rules
from stillwatch.detect.fingerprints.elicitation.matching import ElicitationMatcher, RequestColumns
from stillwatch.detect.fingerprints.elicitation.rule import Rule

__all__ = [
    "SHIPPED_RULES",
    "ElicitationMatcher",
    "FailedExample",
    "Kind",
    "RequestColumns",
    "Rule",
    "failed_examples",
    "load_rules",
]
