"""What a cluster is called, and whose p-value it carries."""

import numpy as np
import pytest

from stillwatch.detect.findings.detection import Verdicts
from stillwatch.detect.findings.flagging import _label
from stillwatch.domain.findings import Label


def verdicts(q_distillation: float, q_resale: float) -> Verdicts:
    """One cluster with the given q-values."""
    q = [np.array([value]) for value in (q_distillation, q_resale)]
    return Verdicts(q[0], q[1], q[0], q[1], {})


@pytest.mark.parametrize(
    ("q_distillation", "q_resale", "hands", "share", "label"),
    [
        (0.01, 0.2, 0.9, 0.1, Label.DISTILLATION),  # only the test of distillation was passed
        (0.2, 0.01, 0.0, 0.9, Label.RESALE),  # only the test of resale was passed
        (0.01, 0.01, 0.9, 0.2, Label.RESALE),  # both: mostly many people's own demand
        (0.01, 0.01, 0.9, 0.6, Label.DISTILLATION),  # both: mostly extraction
        (0.01, 0.01, 0.0, 0.2, Label.DISTILLATION),  # both: little marked, but one hand on every account
    ],
)
def test_a_finding_is_never_called_what_it_was_not_tested_for(
    q_distillation: float, q_resale: float, hands: float, share: float, label: Label
) -> None:
    assert _label(verdicts(q_distillation, q_resale), 0, 0.05, hands, share) is label
