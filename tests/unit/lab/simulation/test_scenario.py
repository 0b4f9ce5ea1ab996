"""Scenario files are checked before anything is simulated, and mistakes are said in plain words."""

import re
from pathlib import Path

import pytest
import yaml

from stillwatch.lab.simulation import at_labs, chance, load_scenario, parse_scenario, scenario_names
from stillwatch.lab.simulation.campaigns import Campaign
from stillwatch.lab.simulation.grammar import Grammar, TextKeys
from stillwatch.lab.simulation.mistakes import ScenarioError, UnknownScenarioError
from stillwatch.lab.simulation.names import packaged_table
from stillwatch.lab.simulation.scaling import scaled


@pytest.mark.parametrize("name", scenario_names())
def test_every_packaged_scenario_loads_and_says_what_it_is(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert len(scenario.description) > 20


def test_every_adversary_is_used_by_a_packaged_scenario() -> None:
    used = {campaign.like for name in scenario_names() for campaign in load_scenario(name).campaigns}
    assert used == set(packaged_table("adversaries"))


def test_every_archetype_is_used_by_a_packaged_scenario() -> None:
    used = {name for scenario in scenario_names() for name in load_scenario(scenario).customers}
    assert used == set(packaged_table("archetypes"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "mapping"),
        ("a: [", "not YAML"),
        ("name: x", "days"),
        ("{name: x, days: 0}", "days"),
        ("{name: x, days: 2, colour: red}", "colour"),
        ("{name: x, days: 2, customers: 4}", "customers"),
        ("{name: x, days: 2, customers: {zebra: 4}}", "text"),
        ("{name: x, days: 2, customers: {judge: {accounts: -1}}}", "customers.judge.accounts"),
        ("{name: x, days: 2, customers: {judge: {text: {nonsense: 1}}}}", "there is no text nonsense"),
        ("{name: x, days: 2, customers: {judge: {networks: {moon: 1}}}}", "there is no network moon"),
        ("{name: x, days: 2, customers: {judge: {demand: {hours: noon}}}}", "demand.hours"),
        (
            "{name: x, days: 2, customers: {judge: {registration: {countries: {XX: 1}}}}}",
            "there is no country XX",
        ),
        ("{name: x, days: 2, campaigns: {}}", "x"),
        ("{name: x, days: 2, campaigns: [3]}", "list of mappings"),
        ("{name: x, days: 2, campaigns: [{name: c, like: nobody}]}", "there is no adversary nobody"),
        ("{name: x, days: 2, campaigns: [{name: c, like: bulk, active: 9}]}", "active accounts"),
        ("{name: x, days: 2, campaigns: [{name: c, like: bulk, rate: null}]}", "rate or a query_budget"),
        ("{name: x, days: 2, campaigns: [{name: c, like: resale, users: 0}]}", "needs users"),
        ("{name: x, days: 2, campaigns: [{name: c, like: bulk}, {name: c, like: bulk}]}", "one name"),
        ("{name: x, days: 2, campaigns: [{name: c, like: bulk, labs: [far]}]}", "not in the scenario"),
        ("{name: x, days: 2, campaigns: [{name: c, like: bulk, start_day: 5, end_day: 3}]}", "end_day"),
        ("{name: x, days: 2, customers: {judge: {group: {size: [0, 2]}}}}", "size"),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    if text.endswith("campaigns: {}}"):
        assert parse_scenario(text, source="x").campaigns == ()
        return
    with pytest.raises(ScenarioError, match=said.replace(".", r"\.")):
        parse_scenario(text, source="x")


def test_an_unknown_scenario_is_a_usage_error() -> None:
    with pytest.raises(UnknownScenarioError) as caught:
        load_scenario("atlantis")
    assert caught.value.exit_code == 2
    assert "--list" in caught.value.hint


def test_a_file_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("{name: mine, days: 2, customers: {individual: 3}}")
    assert load_scenario(path).customers["individual"].accounts == 3


def test_a_binary_file_is_no_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(path)


def test_fields_of_a_scenario_change_the_archetype_one_by_one() -> None:
    text = "{name: x, days: 2, customers: {judge: {accounts: 3, demand: {median: 7}}}}"
    judge = parse_scenario(text, source="x").customers["judge"]
    usual = load_scenario("fortnight").customers["judge"]
    assert judge.demand.median == 7
    assert judge.demand.session == usual.demand.session
    assert judge.text == usual.text


def test_labs_of_other_names_must_be_names() -> None:
    scenario = load_scenario("smoke")
    assert at_labs(scenario, ("a", "b")).labs == ("a", "b")
    for labs in (("a", "a"), ("Not A Name",), ("",)):
        with pytest.raises(ScenarioError):
            at_labs(scenario, labs)


def test_scaling_keeps_the_rate_and_at_least_one_account() -> None:
    scenario = load_scenario("published")
    tenth, tiny = scaled(scenario, 0.1), scaled(scenario, 1e-6)
    for whole, part in zip(scaled(scenario, 1.0).campaigns, tenth.campaigns, strict=True):
        assert part.rate == whole.rate
    assert all(campaign.active == 1 for campaign in tiny.campaigns)


PAGE = (Path(__file__).resolve().parents[4] / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_the_page_names_every_scenario_archetype_and_adversary() -> None:
    names = {*scenario_names(), *packaged_table("archetypes"), *packaged_table("adversaries")}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_the_page_names_every_field_of_a_campaign() -> None:
    told = {"name", "like", "label", "registration", "start_day", "end_day", "jobs_per_day", "job_h"}
    assert [name for name in Campaign.model_fields if name not in told and name not in PAGE] == []


def test_the_examples_of_the_page_work() -> None:
    grammar, scenario = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert parse_scenario(scenario, source="page").campaigns[0].rate == 3
    symbols = yaml.safe_load(grammar) | {"pet": ["cat"], "friend": ["a neighbor"]}
    assert "kettle" in " ".join(Grammar("page", symbols).expand("root", keys(50)).to_pylist())


def keys(count: int) -> TextKeys:
    drawn = chance.key_range(0, count, 1)
    return TextKeys(drawn, drawn, drawn)
