"""Read scenario files and fill in packaged archetypes and adversaries."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stillwatch.lab.simulation.mistakes import ScenarioError, UnknownScenarioError
from stillwatch.lab.simulation.names import packaged_table
from stillwatch.lab.simulation.scenario import Scenario


def scenario_names() -> tuple[str, ...]:
    """Name every packaged scenario."""
    folder = files("stillwatch.lab.simulation") / "scenarios"
    return tuple(
        sorted(entry.name.removesuffix(".yml") for entry in folder.iterdir() if entry.name.endswith(".yml"))
    )


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a packaged scenario by name, or one of your own by path.

    Raises:
        UnknownScenarioError: There is neither.
        ScenarioError: The file is not a valid scenario; the message names the field.
    """
    path = Path(name_or_path)
    packaged = files("stillwatch.lab.simulation") / "scenarios" / f"{name_or_path}.yml"
    if str(name_or_path) in scenario_names():
        return parse_scenario(packaged.read_text(encoding="utf-8"), source=str(name_or_path))
    if path.suffix in {".yml", ".yaml"} and path.is_file():
        return parse_scenario(_text_of(path), source=str(path))
    raise UnknownScenarioError(f"there is no scenario {name_or_path}")


def at_labs(scenario: Scenario, labs: tuple[str, ...]) -> Scenario:
    """Move a scenario to labs of other names; campaigns then attack all of them.

    Raises:
        ScenarioError: A name is not one, or stands there twice.
    """
    campaigns = [campaign.model_dump() | {"labs": ()} for campaign in scenario.campaigns]
    try:
        if len(set(labs)) < len(labs):
            raise ScenarioError(f"two labs have one name: {', '.join(labs)}")
        return Scenario.model_validate(scenario.model_dump() | {"labs": labs, "campaigns": campaigns})
    except ValidationError as error:
        raise ScenarioError(_first_mistakes(error)) from error


def parse_scenario(text: str, *, source: str) -> Scenario:
    """Read a scenario from YAML text, filling in packaged archetypes and adversaries.

    Args:
        text: The YAML.
        source: What to call it in messages.

    Raises:
        ScenarioError: The text is not a valid scenario.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{source} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ScenarioError(f"{source} must be a mapping of fields")
    try:
        return Scenario.model_validate(_filled_in(raw, source))
    except ValidationError as error:
        raise ScenarioError(f"{source}: {_first_mistakes(error)}") from error


def _filled_in(raw: dict[str, Any], source: str) -> dict[str, Any]:
    filled = dict(raw)
    archetypes, adversaries = packaged_table("archetypes"), packaged_table("adversaries")
    customers = raw.get("customers") or {}
    if not isinstance(customers, dict):
        raise ScenarioError(f"{source}: customers must be a mapping of archetypes")
    filled["customers"] = {
        name: _merged(
            archetypes.get(name, {}), {"accounts": value} if isinstance(value, int) else value or {}
        )
        for name, value in customers.items()
    }
    campaigns = raw.get("campaigns") or []
    if not isinstance(campaigns, list) or not all(isinstance(entry, dict) for entry in campaigns):
        raise ScenarioError(f"{source}: campaigns must be a list of mappings")
    filled["campaigns"] = [_merged(_adversary(entry, adversaries, source), entry) for entry in campaigns]
    return filled


def _adversary(entry: dict[str, Any], adversaries: dict[str, Any], source: str) -> dict[str, Any]:
    like = entry.get("like", "")
    if like and like not in adversaries:
        raise ScenarioError(
            f"{source}: there is no adversary {like}; there are {', '.join(sorted(adversaries))}"
        )
    return dict(adversaries[like]) if like else {}


# These are drawn from, so a scenario that names its own replaces them as a whole.
_WHOLE = frozenset({"text", "recipe", "languages", "countries", "surfaces", "models", "networks", "programmes",
                    "domains", "clients", "cover_text"})  # fmt: skip


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = value if key in _WHOLE else _merged(base.get(key), value)
    return merged


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error


def _first_mistakes(error: ValidationError) -> str:
    lines = [
        f"{'.'.join(map(str, mistake['loc'])) or 'scenario'}: {mistake['msg']}"
        for mistake in error.errors()[:5]
    ]
    return "; ".join(lines)
