"""Score what a scan reported against what is known to be true.

The unit is the campaign. A true campaign counts as found when one reported campaign holds at least half of its
accounts and at least 80 % of the reported campaign's own accounts belong to it. Everything else on the report
card (leak, extraction share, false alarms by archetype, precision at a realistic base rate, the language audit)
is computed from the same three inputs: a scan's output, the truth tables and, for request times, the logs.

Entry points: `evaluate` builds a `ReportCard`; `render` prints one.
"""

from stillwatch.lab.evaluation.card import ReportCard
from stillwatch.lab.evaluation.evaluate import evaluate

__all__ = ["ReportCard", "evaluate"]
