"""The shipped rules keep their promises, and a bad rule is told exactly what is wrong with it."""

from pathlib import Path

import pytest
import yaml

from stillwatch.detect.fingerprints.elicitation import SHIPPED_RULES, Kind, Rule, failed_examples, load_rules
from stillwatch.errors import RuleError

RULES = load_rules()
GOOD = next(iter(sorted(SHIPPED_RULES.glob("harvesting_samples.yml"))))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_example_comes_out_as_its_rule_says(rule: Rule) -> None:
    assert [failure.sentence for failure in failed_examples([rule])] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_rule_has_examples_in_english_and_in_another_language(rule: Rule) -> None:
    languages = {example.language for example in rule.examples.match}
    assert "en" in languages
    assert languages - {"en"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_every_rule_names_look_alikes_a_source_and_an_atlas_technique(rule: Rule) -> None:
    assert rule.falsepositives
    assert rule.references
    assert "atlas.aml.t0024.002" in rule.tags
    assert f"stillwatch.{rule.kind}" in rule.tags


def test_every_kind_has_a_rule_and_a_bit_of_its_own() -> None:
    assert {rule.kind for rule in RULES} == set(Kind)
    assert [kind.bit for kind in Kind] == [1 << index for index in range(len(Kind))]


def test_a_rule_whose_example_is_wrong_is_reported(tmp_path: Path) -> None:
    document = yaml.safe_load(GOOD.read_text(encoding="utf-8"))
    document["examples"]["match"].append({"prompt": "an ordinary question"})
    (failure,) = failed_examples(load_rules([write(tmp_path, document)]))
    assert "should hit and does not" in failure.sentence


def write(folder: Path, document: object) -> Path:
    file = folder / "mine.yml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("kind", "mind_reading", "kind"),
        ("level", "very bad", "level"),
        ("id", "seven", "id"),
        ("falsepositives", [], "falsepositives"),
        ("surprise", 1, "surprise"),
        ("detection", {"a": {"prompt": ["rubric"]}}, "condition"),
        ("detection", {"a": {"prompt": ["(open"]}, "condition": "a"}, "detection.a.prompt"),
        ("detection", {"a": {"prompts": ["rubric"]}, "condition": "a"}, "detection.a.prompts"),
        ("detection", {"a": {"prompt": ["rubric"]}, "condition": "b"}, "names 'b'"),
        ("detection", {"a": {"prompt": ["rubric"]}, "condition": "not a"}, "every request"),
        ("detection", {"condition": "1 of them"}, "searches"),
        ("detection", {"a": {}, "condition": "a"}, "at least one field"),
        ("examples", {"match": [{"prompt": "x"}]}, "examples.no_match"),
    ],
)
def test_a_bad_rule_is_told_by_file_rule_and_field(
    field: str, value: object, told: str, tmp_path: Path
) -> None:
    document = yaml.safe_load(GOOD.read_text(encoding="utf-8")) | {field: value}
    with pytest.raises(RuleError) as caught:
        load_rules([write(tmp_path, document)])
    assert "mine.yml" in caught.value.message
    assert document["title"] in caught.value.message
    assert told in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"title: [unclosed", "mine.yml:2 is not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"- just\n- a list\n", "is not a mapping"),
        (b"!!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_rule_is_told_so(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_bytes(content)
    with pytest.raises(RuleError) as caught:
        load_rules([file])
    assert told in caught.value.message


def test_a_folder_without_rules_and_a_path_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="holds no rules"):
        load_rules([tmp_path])
    with pytest.raises(RuleError, match="does not exist"):
        load_rules([tmp_path / "nowhere"])


def test_two_rules_with_one_id_are_refused(tmp_path: Path) -> None:
    write(tmp_path, yaml.safe_load(GOOD.read_text(encoding="utf-8")))
    with pytest.raises(RuleError, match="has as well"):
        load_rules([SHIPPED_RULES, tmp_path])
