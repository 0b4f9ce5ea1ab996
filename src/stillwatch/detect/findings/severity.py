"""How bad a finding would be if it is right: from scale, coordination and controls defeated, never from confidence."""

from __future__ import annotations

from dataclasses import dataclass

from stillwatch.domain.findings import Confidence, Severity

SCALE_STEPS = (
    1_000,
    20_000,
    400_000,
)  # exchanges; a small user stays below the first, published campaigns begin at 10^5
COORDINATION_STEPS = (
    5,
    200,
)  # accounts under one operator; a person with a second account stays below the first
# An account of the largest published campaigns drew about 1,150 exchanges (28.8 million over 25,000 accounts). Somebody
# who works alone and got around nothing has to draw more than twice that before it is more than a data set of their own.
SMALL_SCALE = 2_500
SURE_Q_VALUE = 0.01
SUPPORTING_P_VALUE = 0.05


@dataclass(frozen=True)
class Gravity:
    """What severity is made of.

    Args:
        exchanges: Requests that are extraction (or, for resale, that went through pooled accounts).
        coordinated_accounts: Accounts that one operator seems to run; 0 for a lone account.
        controls: Controls that were got around.
    """

    exchanges: float
    coordinated_accounts: int
    controls: tuple[str, ...]

    @property
    def points(self) -> int:
        """Add up one point for each step of scale and coordination, and one if any control was defeated."""
        coordination = sum(self.coordinated_accounts >= step for step in COORDINATION_STEPS)
        if self._alone and self.exchanges < SMALL_SCALE:
            return 0
        scale = sum(self.exchanges >= step for step in SCALE_STEPS)
        return scale + coordination + bool(self.controls)

    @property
    def _alone(self) -> bool:
        """Tell whether there is no operator of many accounts and no control got around: one person or a small team."""
        return self.coordinated_accounts < COORDINATION_STEPS[0] and not self.controls

    @property
    def severity(self) -> Severity:
        """Return the severity: nothing of note is low, and each two points are a step."""
        if self.points == 0:
            return Severity.LOW
        return (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)[min((self.points - 1) // 2, 2)]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say in plain sentences what the severity rests on."""
        if self.points == 0:
            alone = f"small and alone: {self.exchanges:,.0f} exchanges, and no control got around; the shape of the demand "
            return (alone + "is that of anybody who makes a small data set, so observe only",)
        said = []
        if self.exchanges >= SCALE_STEPS[0]:
            said.append(f"scale: {self.exchanges:,.0f} exchanges")
        if self.coordinated_accounts >= COORDINATION_STEPS[0]:
            said.append(f"coordination: {self.coordinated_accounts:,} accounts appear to have one operator")
        said.extend(f"control got around: {control}" for control in self.controls)
        return tuple(said)


def confidence(q_value: float, supporting: int) -> Confidence:
    """Grade the evidence.

    Args:
        q_value: After false-discovery control.
        supporting: Signals that speak for the same label with a p-value up to `SUPPORTING_P_VALUE`.
    """
    if q_value <= SURE_Q_VALUE and supporting >= 3:
        return Confidence.HIGH
    return Confidence.MODERATE if supporting >= 1 else Confidence.LOW
