"""An invented relay, a small study, and a licensed partner."""

from datetime import date
from typing import Final

from stillwatch.detect.findings.report.example.story import (
    Story,
    innocent,
    link,
    signal,
)
from stillwatch.domain.findings import (
    AuthorizationNote,
    AuthorizationStatus,
    Confidence,
    ExtractionEstimate,
    Label,
    Severity,
    Verdict,
)

RELAY: Final = Story(
    campaign_id="c-f411c9",
    label=Label.RESALE,
    title="38 accounts pooled behind one relay, some of its demand extraction",
    severity=Severity.MEDIUM,
    confidence=Confidence.MODERATE,
    p_value=0.0021,
    q_value=0.0093,
    accounts=38,
    exchanges=91_220,
    first=date(2026, 11, 2),
    days=16,
    tokens_in=2_950,
    tokens_out=610,
    models={"boreal-3": 0.7, "boreal-mini": 0.22, "boreal-4": 0.08},
    surfaces={"api": 0.8, "app": 0.2},
    evidence=(
        link(
            "conversation_handover",
            13.5,
            "412 conversations went on under another of these accounts within 40 seconds of a rate limit.",
        ),
        link(
            "client_tuple",
            6.2,
            "All 38 accounts send one frozen header set while their end users' tools differ.",
        ),
        link(
            "equal_load",
            3.3,
            "Least-recently-used order explains which account serves the next request in 81 % of cases.",
        ),
        signal(
            "end_user_breadth",
            5.8,
            0.002,
            "About 1,900 distinct end users show in language, hours and editor, 50 per account; an ordinary account has 1 to 3.",
        ),
        signal(
            "elicitation",
            2.4,
            0.04,
            "17 % of exchanges, from 3 template families, are distillation-shaped; the rest is ordinary.",
        ),
    ),
    innocent=(
        innocent(
            "contracted reseller",
            Verdict.POSSIBLE,
            "No authorization is on record for these accounts; a missing record is not a missing contract.",
        ),
        innocent(
            "company behind one proxy",
            Verdict.LESS_LIKELY,
            "A company shows one working day; here 11 time zones are awake in turn.",
        ),
    ),
    reasons=(
        "Scale: 91,220 exchanges.",
        "Most people behind it look like ordinary developers, which keeps severity at medium.",
    ),
    exemplars=(
        "refactor this function so that it no longer blocks the event loop [code]",
        "Rate the two answers below from 1 to 10 and justify each score with the rubric [text]",
    ),
    extraction=ExtractionEstimate(share=0.17, low=0.12, high=0.24),
    controls=("Terms of access: one subscription serves about 50 people.",),
    action="verify who the operator is; do not block: most people behind it are ordinary developers",
    link_kinds=(("conversation_handover",), ("client_tuple",), ("conversation_handover", "client_tuple")),
    detected_on_day=4,
    atlas=("AML.T0008.005",),
)

SMALL: Final = Story(
    campaign_id="c-02e6d5",
    label=Label.DISTILLATION,
    title="One account makes a small instruction set",
    severity=Severity.LOW,
    confidence=Confidence.MODERATE,
    p_value=0.011,
    q_value=0.038,
    accounts=1,
    exchanges=1_840,
    first=date(2026, 11, 10),
    days=3,
    tokens_in=210,
    tokens_out=540,
    models={"boreal-mini": 1.0},
    surfaces={"api": 1.0},
    evidence=(
        signal("elicitation", 5.0, 0.011, "96 % of exchanges ask for new instruction and answer pairs."),
    ),
    innocent=(
        innocent(
            "research or a student's project",
            Verdict.POSSIBLE,
            "One verified account, no coordination and 1,840 exchanges fit a small study.",
        ),
    ),
    reasons=(
        "One account, no coordination, no control defeated: distillation-shaped by nature, too small to matter.",
    ),
    exemplars=(
        "Write 20 new instructions in the style of the examples, each with an input and an answer: [text]",
    ),
    extraction=ExtractionEstimate(share=0.96, low=0.9, high=0.99),
)

LICENSED: Final = Story(
    campaign_id="c-77aa10",
    label=Label.AUTHORIZED,
    title="Licensed distillation by Harbor Partner Labs",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    p_value=0.0003,
    q_value=0.001,
    accounts=6,
    exchanges=33_012,
    first=date(2026, 11, 2),
    days=16,
    tokens_in=800,
    tokens_out=1_400,
    models={"boreal-3": 1.0},
    surfaces={"api": 1.0},
    evidence=(signal("no_repeat_sampling", 9.1, 0.0003, "12 of 33,012 exchanges repeat a prompt."),),
    innocent=(),
    reasons=(),
    exemplars=("Answer as a chemistry tutor would: [text]",),
    authorization=AuthorizationNote(
        authorization_id="auth-2026-014",
        status=AuthorizationStatus.IN_SCOPE,
        sentence="Distillation of boreal-3 into one model is permitted until 31 March 2027.",
    ),
    action="none: authorized",
)
