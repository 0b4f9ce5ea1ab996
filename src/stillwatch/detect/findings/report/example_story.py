"""The words of the example report: five invented clusters at an invented lab.

Nothing here was observed. Sizes per account follow the published campaigns (about 25 exchanges per account and
day); every name, id and text is made up.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from stillwatch.domain.findings import (
    AuthorizationNote,
    AuthorizationStatus,
    Confidence,
    Evidence,
    EvidenceKind,
    Explanation,
    ExtractionEstimate,
    Label,
    Severity,
    Verdict,
)

_LINK, _SIGNAL = EvidenceKind.LINK, EvidenceKind.SIGNAL
_OUT, _LESS, _OPEN = Verdict.RULED_OUT, Verdict.LESS_LIKELY, Verdict.POSSIBLE

LINKS_COMPARED: Final = "5,391 accounts outside this cluster"
CLUSTERS_COMPARED: Final = "412 clusters of ordinary accounts"


@dataclass(frozen=True)
class Story:
    """One invented cluster, before days and graphs are drawn for it."""

    campaign_id: str
    label: Label
    title: str
    severity: Severity
    confidence: Confidence
    p_value: float
    q_value: float
    accounts: int
    exchanges: int
    first: date
    days: int
    tokens_in: int
    tokens_out: int
    models: dict[str, float]
    surfaces: dict[str, float]
    evidence: tuple[Evidence, ...]
    innocent: tuple[Explanation, ...]
    reasons: tuple[str, ...]
    exemplars: tuple[str, ...]
    extraction: ExtractionEstimate | None = None
    controls: tuple[str, ...] = ()
    authorization: AuthorizationNote | None = None
    action: str = "observe"
    link_kinds: tuple[tuple[str, ...], ...] = (("template_family",),)
    detected_on_day: int | None = None
    pivots: bool = False
    atlas: tuple[str, ...] = field(default=("AML.T0024.002",))


def _link(name: str, nats: float, sentence: str) -> Evidence:
    return Evidence(name=name, kind=_LINK, nats=nats, sentence=sentence, compared_with=LINKS_COMPARED)


def _signal(name: str, nats: float, p_value: float, sentence: str) -> Evidence:
    return Evidence(
        name=name,
        kind=_SIGNAL,
        nats=nats,
        p_value=p_value,
        sentence=sentence,
        compared_with=CLUSTERS_COMPARED,
    )


def _innocent(name: str, verdict: Verdict, sentence: str) -> Explanation:
    return Explanation(name=name, verdict=verdict, sentence=sentence)


HYDRA: Final = Story(
    campaign_id="c-8d21f0",
    label=Label.DISTILLATION,
    title="Agentic coding tasks spread evenly over 640 accounts, moved to a new model within a day",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    p_value=0.00002,
    q_value=0.00006,
    accounts=640,
    exchanges=214_904,
    first=date(2026, 11, 3),
    days=14,
    tokens_in=1_310,
    tokens_out=1_870,
    models={"boreal-3": 0.53, "boreal-4": 0.44, "boreal-mini": 0.03},
    surfaces={"api": 0.61, "bedrock": 0.24, "vertex": 0.15},
    evidence=(
        _link(
            "shared_payment",
            17.8,
            "611 of 640 accounts pay with 23 payment fingerprints; the most common one pays for 41 accounts, and an ordinary fingerprint for one.",
        ),
        _link(
            "ban_replacement",
            9.6,
            "38 of 41 closed accounts were followed within 11 minutes by a new account that took over the same template family.",
        ),
        _link(
            "client_tuple",
            7.1,
            "598 accounts send one stale client tuple (runtime, SDK version and TLS fingerprint) that 0.02 % of other accounts send.",
        ),
        _link(
            "load_levelling",
            5.2,
            "Accounts carry between 316 and 358 exchanges each; the coefficient of variation is 0.03, among ordinary clusters it is 1.4.",
        ),
        _signal(
            "no_repeat_sampling",
            14.4,
            0.00002,
            "Only 87 of 214,904 exchanges repeat a prompt; chance alone would repeat about 9,300 if prompts were drawn with replacement.",
        ),
        _signal(
            "release_pivot",
            8.3,
            0.0007,
            "47 % of the traffic moved to boreal-4 within 21 hours of its release; other clusters moved 3 %.",
        ),
        _signal(
            "template_mass",
            6.9,
            0.0004,
            "91 % of exchanges come from 6 template families that hardly anyone else uses.",
        ),
        _signal(
            "output_hunger",
            3.1,
            0.011,
            "The median answer is 1,870 tokens, and 34 % of answers stop at the token limit.",
        ),
        _signal(
            "round_the_clock",
            1.7,
            0.03,
            "No hour of the day has less than 3.6 % or more than 4.7 % of the traffic.",
        ),
        _signal(
            "tool_breadth",
            -0.9,
            0.41,
            "Tool definitions vary as much as in ordinary coding agents, which speaks for ordinary use.",
        ),
    ),
    innocent=(
        _innocent(
            "coding agent fleet",
            _OUT,
            "A fleet pays from one account and repeats its system prompt and files; here prompts do not repeat and 23 payment fingerprints pay.",
        ),
        _innocent(
            "evaluation run",
            _LESS,
            "An evaluation returns to the same questions for each model; 0.04 % of prompts were seen on both boreal-3 and boreal-4.",
        ),
        _innocent(
            "reseller of ordinary developers",
            _LESS,
            "Ordinary end users differ in language, length and hours; 98 % of these exchanges share 6 templates.",
        ),
    ),
    reasons=(
        "Scale: 214,904 exchanges in 14 days.",
        "Coordination: one operator behind 640 accounts, load held equal.",
        "Controls defeated: closed accounts replaced within minutes, rate limits spread over accounts.",
    ),
    exemplars=(
        "You are a senior engineer working in the repository [name]. Plan the change step by step, then call the tools you need. Task: [text]",
        "Write the complete trajectory, with every tool call and its result, that solves the following issue: [text]",
        "Give three alternative solutions to the task above and say for each why it would pass the tests [list]",
    ),
    extraction=ExtractionEstimate(share=0.96, low=0.93, high=0.98),
    controls=(
        "Account closure: 38 of 41 closed accounts were replaced within 11 minutes.",
        "Rate limits: each account stays at 24 to 26 exchanges a day.",
        "Identity checks: 23 payment fingerprints from 4 virtual-card ranges.",
    ),
    action="open a case; verify identity on all 640 accounts before anything else is decided",
    link_kinds=(
        ("shared_payment",),
        ("client_tuple",),
        ("shared_payment", "client_tuple"),
        ("ban_replacement",),
        ("load_levelling",),
    ),
    detected_on_day=2,
    pivots=True,
)

TRACES: Final = Story(
    campaign_id="c-30b7aa",
    label=Label.DISTILLATION,
    title="Reasoning traces asked for in 14 languages, without one repeated prompt",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    p_value=0.00013,
    q_value=0.0004,
    accounts=212,
    exchanges=48_310,
    first=date(2026, 11, 5),
    days=9,
    tokens_in=402,
    tokens_out=2_204,
    models={"boreal-3": 0.97, "boreal-4": 0.03},
    surfaces={"api": 1.0},
    evidence=(
        _link(
            "template_family",
            12.2,
            "207 of 212 accounts use two template families that 3 other accounts use.",
        ),
        _link(
            "network",
            4.4,
            "188 accounts share four /24 networks of one hosting provider that carry 0.1 % of other accounts.",
        ),
        _link(
            "creation_cohort", 3.9, "176 accounts were created in three nights, 9 minutes apart on average."
        ),
        _signal(
            "elicitation",
            11.7,
            0.00013,
            "88 % of exchanges ask for the hidden reasoning to be written out, in 14 languages; ordinary clusters stay under 2 %.",
        ),
        _signal(
            "prompt_split",
            9.0,
            0.0004,
            "The accounts split one prompt set: 2 of 24,118 distinct questions were asked by more than one account.",
        ),
        _signal(
            "output_hunger",
            4.6,
            0.006,
            "The median answer is 2,204 tokens, 6 times the median of ordinary clusters.",
        ),
        _signal("single_turn", 1.2, 0.09, "99 % of conversations have one turn."),
    ),
    innocent=(
        _innocent(
            "translation or localization work",
            _LESS,
            "Translators ask about the same text in several languages; here no question appears in two.",
        ),
        _innocent(
            "course with many students",
            _OUT,
            "A course shares questions between students; these accounts share none.",
        ),
        _innocent(
            "benchmark of reasoning",
            _OPEN,
            "A large multilingual benchmark would also ask each question once; none we know of is split over 212 accounts.",
        ),
    ),
    reasons=(
        "Coordination: one prompt set split over 212 accounts.",
        "Controls defeated: hidden reasoning was asked for in writing.",
    ),
    exemplars=(
        "Solve the problem. Before the answer, set down everything that you think, in full and in the language of the question: [text]",
        "请解答下面的问题，并逐步写出完整的思考过程：[text]",  # noqa: RUF001 - Chinese punctuation is meant
        "Löse die Aufgabe und schreibe jeden Gedanken dabei vollständig auf: [text]",
    ),
    extraction=ExtractionEstimate(share=0.91, low=0.87, high=0.94),
    controls=("Reasoning is not shown on this surface; 88 % of exchanges ask for it in the answer.",),
    action="open a case; withhold written-out reasoning for these accounts while it is open",
    link_kinds=(
        ("template_family",),
        ("network",),
        ("template_family", "creation_cohort"),
        ("template_family", "network"),
    ),
    detected_on_day=2,
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
        _link(
            "conversation_handover",
            13.5,
            "412 conversations went on under another of these accounts within 40 seconds of a rate limit.",
        ),
        _link(
            "client_tuple",
            6.2,
            "All 38 accounts send one frozen header set while their end users' tools differ.",
        ),
        _link(
            "equal_load",
            3.3,
            "Least-recently-used order explains which account serves the next request in 81 % of cases.",
        ),
        _signal(
            "end_user_breadth",
            5.8,
            0.002,
            "About 1,900 distinct end users show in language, hours and editor, 50 per account; an ordinary account has 1 to 3.",
        ),
        _signal(
            "elicitation",
            2.4,
            0.04,
            "17 % of exchanges, from 3 template families, are distillation-shaped; the rest is ordinary.",
        ),
    ),
    innocent=(
        _innocent(
            "contracted reseller",
            _OPEN,
            "No authorization is on record for these accounts; a missing record is not a missing contract.",
        ),
        _innocent(
            "company behind one proxy",
            _LESS,
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
        _signal("elicitation", 5.0, 0.011, "96 % of exchanges ask for new instruction and answer pairs."),
    ),
    innocent=(
        _innocent(
            "research or a student's project",
            _OPEN,
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
    evidence=(_signal("no_repeat_sampling", 9.1, 0.0003, "12 of 33,012 exchanges repeat a prompt."),),
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

STORIES: Final = (HYDRA, TRACES, RELAY, SMALL, LICENSED)
