"""Two invented distillation campaigns: one large, one of reasoning traces."""

from datetime import date
from typing import Final

from stillwatch.detect.findings.report.example.story import (
    Story,
    innocent,
    link,
    signal,
)
from stillwatch.domain.findings import (
    Confidence,
    ExtractionEstimate,
    Label,
    Severity,
    Verdict,
)

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
        link(
            "shared_payment",
            17.8,
            "611 of 640 accounts pay with 23 payment fingerprints; the most common one pays for 41 accounts, and an ordinary fingerprint for one.",
        ),
        link(
            "ban_replacement",
            9.6,
            "38 of 41 closed accounts were followed within 11 minutes by a new account that took over the same template family.",
        ),
        link(
            "client_tuple",
            7.1,
            "598 accounts send one stale client tuple (runtime, SDK version and TLS fingerprint) that 0.02 % of other accounts send.",
        ),
        link(
            "load_levelling",
            5.2,
            "Accounts carry between 316 and 358 exchanges each; the coefficient of variation is 0.03, among ordinary clusters it is 1.4.",
        ),
        signal(
            "no_repeat_sampling",
            14.4,
            0.00002,
            "Only 87 of 214,904 exchanges repeat a prompt; chance alone would repeat about 9,300 if prompts were drawn with replacement.",
        ),
        signal(
            "release_pivot",
            8.3,
            0.0007,
            "47 % of the traffic moved to boreal-4 within 21 hours of its release; other clusters moved 3 %.",
        ),
        signal(
            "template_mass",
            6.9,
            0.0004,
            "91 % of exchanges come from 6 template families that hardly anyone else uses.",
        ),
        signal(
            "output_hunger",
            3.1,
            0.011,
            "The median answer is 1,870 tokens, and 34 % of answers stop at the token limit.",
        ),
        signal(
            "round_the_clock",
            1.7,
            0.03,
            "No hour of the day has less than 3.6 % or more than 4.7 % of the traffic.",
        ),
        signal(
            "tool_breadth",
            -0.9,
            0.41,
            "Tool definitions vary as much as in ordinary coding agents, which speaks for ordinary use.",
        ),
    ),
    innocent=(
        innocent(
            "coding agent fleet",
            Verdict.RULED_OUT,
            "A fleet pays from one account and repeats its system prompt and files; here prompts do not repeat and 23 payment fingerprints pay.",
        ),
        innocent(
            "evaluation run",
            Verdict.LESS_LIKELY,
            "An evaluation returns to the same questions for each model; 0.04 % of prompts were seen on both boreal-3 and boreal-4.",
        ),
        innocent(
            "reseller of ordinary developers",
            Verdict.LESS_LIKELY,
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
        link(
            "template_family",
            12.2,
            "207 of 212 accounts use two template families that 3 other accounts use.",
        ),
        link(
            "network",
            4.4,
            "188 accounts share four /24 networks of one hosting provider that carry 0.1 % of other accounts.",
        ),
        link(
            "creation_cohort", 3.9, "176 accounts were created in three nights, 9 minutes apart on average."
        ),
        signal(
            "elicitation",
            11.7,
            0.00013,
            "88 % of exchanges ask for the hidden reasoning to be written out, in 14 languages; ordinary clusters stay under 2 %.",
        ),
        signal(
            "prompt_split",
            9.0,
            0.0004,
            "The accounts split one prompt set: 2 of 24,118 distinct questions were asked by more than one account.",
        ),
        signal(
            "output_hunger",
            4.6,
            0.006,
            "The median answer is 2,204 tokens, 6 times the median of ordinary clusters.",
        ),
        signal("single_turn", 1.2, 0.09, "99 % of conversations have one turn."),
    ),
    innocent=(
        innocent(
            "translation or localization work",
            Verdict.LESS_LIKELY,
            "Translators ask about the same text in several languages; here no question appears in two.",
        ),
        innocent(
            "course with many students",
            Verdict.RULED_OUT,
            "A course shares questions between students; these accounts share none.",
        ),
        innocent(
            "benchmark of reasoning",
            Verdict.POSSIBLE,
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
