"""Playbooks: what is valid, what is refused and where, and what follows from a finding."""

import contextlib
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from tests.unit.respond.decisions.conftest import START, make_finding

from stillwatch.domain.actions import Action, Mode
from stillwatch.domain.findings import Finding
from stillwatch.errors import PlaybookError
from stillwatch.respond.decisions.planning import plan
from stillwatch.respond.decisions.playbook import Playbook
from stillwatch.respond.decisions.playbook_files import example, example_text, load, parse

RULE = """name: ours
version: 3
rules:
  - name: first
    when: {when}
    steps:
      - {step}
"""


def written(when: str = "{label: [distillation]}", step: str = "{action: verify, for: 3d}") -> str:
    return RULE.replace("{when}", when).replace("{step}", step)


def plan_of(book: Playbook, found: Finding, **more: object) -> list[tuple[Action, tuple[str, ...]]]:
    decisions = plan(book, found, now=START, rng=random.Random(1), **more)  # type: ignore[arg-type]
    return [(decision.action, decision.accounts) for decision in decisions]


def test_the_shipped_example_is_valid_and_blocks_nobody() -> None:
    book = example()
    assert book.author.startswith("playbook:cautious@1+")
    assert Action.BLOCK not in {step.action for rule in book.rules for step in rule.steps}


def test_a_playbook_is_the_same_in_yaml_and_in_toml(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(
        'name = "ours"\nversion = 3\n[[rules]]\nname = "first"\nwhen = {label = ["distillation"]}\n'
        'steps = [{action = "verify", for = "3d"}]\n'
    )
    assert load(file).author == parse(written(), "ours.yaml").author


def test_the_digest_changes_with_the_content_and_not_with_the_layout() -> None:
    book = parse(written(), "a.yaml")
    assert parse("# a comment\n" + written(), "a.yaml").digest == book.digest
    assert parse(written(step="{action: verify, for: 4d}"), "a.yaml").digest != book.digest


@pytest.mark.parametrize(
    ("when", "step", "told"),
    [
        ("{}", "{action: block, for: 3d}", "a.yaml:4: rules.0: resale alone is never blocked"),
        ("{label: [resale]}", "{action: block, for: 3d}", "resale alone is never blocked"),
        ("{label: [authorized]}", "{action: verify, for: 3d}", "authorized use is only observed"),
        ("{label: [theft]}", "{action: verify, for: 3d}", "a.yaml:5: rules.0.when.label.0"),
        ("{label: []}", "{action: verify, for: 3d}", "a.yaml:5"),
        ("{}", "{action: verify}", "a.yaml:7: rules.0.steps.0.for: Field required"),
        ("{}", "{action: verify, for: 3}", "with its unit"),
        ("{}", "{action: verify, for: 3y}", "is no duration"),
        ("{}", "{action: verify, for: 53w}", "less than or equal to"),
        ("{}", "{action: verify, for: 0d}", "greater than"),
        ("{}", "{action: throttle, for: 3d}", "throttle needs requests_per_min and burst"),
        ("{}", "{action: verify, for: 3d, burst: 3}", "belong to throttle"),
        ("{}", "{action: withhold, for: 3d}", "withhold needs a list"),
        ("{}", "{action: tag, for: 3d}", "tag needs a list"),
        ("{}", "{action: verify, for: 3d, tags: [x]}", "tag needs a list"),
        ("{}", "{action: verify, for: 3d, after: {min: 2h, max: 1h}}", "max is shorter than min"),
        ("{}", "{action: verify, for: 3d, share: 0}", "greater than 0"),
        (
            "{}",
            "{action: verify, for: 3d, sahre: 1}",
            "a.yaml:7: rules.0.steps.0.sahre: there is no such field",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(when: str, step: str, told: str) -> None:
    with pytest.raises(PlaybookError) as caught:
        parse(written(when, step), "a.yaml")
    assert told in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "- 1", "a: [", "a: &x b\nc: *x", "\x00", "name: a\nname: b", "{" * 2_000]
)
def test_what_is_no_playbook_is_refused(text: str) -> None:
    with pytest.raises(PlaybookError):
        parse(text, "a.yaml")


@given(st.text(max_size=200), st.sampled_from(["a.yaml", "a.toml"]))
def test_no_text_raises_anything_but_a_playbook_error(text: str, name: str) -> None:
    with contextlib.suppress(PlaybookError):
        parse(text, name)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_two_rules_of_one_name_are_refused() -> None:
    twice = written() + written().partition("rules:\n")[2]
    with pytest.raises(PlaybookError, match="two rules are called first"):
        parse(twice, "a.yaml")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "severe"),
        ({"severity": "medium"}, "likely"),
        ({"confidence": "low"}, "everything-else"),
        ({"label": "resale"}, "resale"),
        ({"label": "authorized"}, None),
    ],
)
def test_the_first_rule_that_matches_decides(changes: dict[str, object], rule: str | None) -> None:
    found = example().rule_for(make_finding(**changes))
    assert (found and found.name) == rule


def test_accounts_on_an_on_ramp_follow_their_own_rule() -> None:
    programmes = {"a": "education", "b": "enterprise"}
    found = plan_of(example(), make_finding(), programmes=programmes)
    assert (Action.TAG, ("b",)) in found
    assert {accounts for _, accounts in found} == {("a",), ("b",), ("c",)}


@given(seed=st.integers(0, 2**32))
def test_delays_are_drawn_within_their_ends_and_decisions_last_as_long_as_said(seed: int) -> None:
    book = parse(written(step="{action: verify, for: 3d, after: {min: 1h, max: 36h}}"), "a.yaml")
    (decision,) = plan(book, make_finding(), now=START, rng=random.Random(seed))
    assert timedelta(hours=1) <= decision.starts_at - decision.decided_at <= timedelta(hours=36)
    assert decision.ends_at - decision.starts_at == timedelta(days=3)


def test_chance_is_an_argument(finding: Callable[..., Finding]) -> None:
    plans = [plan(example(), finding(), now=START, rng=random.Random(3)) for _ in range(2)]
    assert plans[0] == plans[1]


def test_plans_are_in_shadow_and_signed_with_the_content() -> None:
    for decision in plan(example(), make_finding(), now=START, rng=random.Random(1)):
        assert decision.mode is Mode.SHADOW
        assert decision.author == example().author
        assert decision.evidence == ("finding-1",)


def test_the_example_can_be_copied_and_changed() -> None:
    changed = example_text().replace("requests_per_min: 60", "requests_per_min: 6")
    assert parse(changed, "ours.yaml").digest != example().digest
