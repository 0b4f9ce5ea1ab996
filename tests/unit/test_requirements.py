"""The pinned requirements are what pyproject.toml asks for, with hashes and without hosts."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DEVELOPMENT = [Requirement(text) for text in PROJECT["dependency-groups"]["dev"]]
FILES = ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"]


def pinned(name: str) -> dict[str, list[Version]]:
    """Return the versions that a requirements file pins, by package; some differ by Python version."""
    versions: dict[str, list[Version]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), []).append(Version(version))
    return versions


@pytest.mark.parametrize("requirement", RUNTIME, ids=str)
def test_what_the_project_needs_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        versions = pinned(name)[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in versions)


@pytest.mark.parametrize("requirement", DEVELOPMENT, ids=str)
def test_what_development_needs_is_pinned_there_only(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert all(version in requirement.specifier for version in pinned("requirements-dev.txt")[name])
    assert name not in pinned("requirements.txt")


def test_both_files_pin_the_same_versions() -> None:
    everything = pinned("requirements-dev.txt")
    assert {name: everything[name] for name in pinned("requirements.txt")} == pinned("requirements.txt")


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


@pytest.mark.parametrize("name", FILES)
def test_no_requirements_file_names_a_host_or_a_path(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(?:extra-)?index|--find-links|^-e|file:", text, re.MULTILINE)
