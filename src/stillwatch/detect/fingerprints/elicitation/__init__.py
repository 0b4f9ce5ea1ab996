"""Elicitation: what a request asks for that is worth having as training material, by rules that labs can share."""

from stillwatch.detect.fingerprints.elicitation.kinds import Kind
from stillwatch.detect.fingerprints.elicitation.loading import SHIPPED_RULES, load_rules
from stillwatch.detect.fingerprints.elicitation.matching import ElicitationMatcher, RequestColumns
from stillwatch.detect.fingerprints.elicitation.rule import Rule

__all__ = ["SHIPPED_RULES", "ElicitationMatcher", "Kind", "RequestColumns", "Rule", "load_rules"]
