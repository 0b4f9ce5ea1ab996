"""The documentation has no dead ends, and names everything that a user can type."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillwatch.cli import COMMANDS
from stillwatch.detect.logs.authorizations import read_authorizations

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the anchor of every local link on a page."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            yield name, anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors that headings make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_local_link_leads_somewhere(page: Path) -> None:
    for name, anchor in links(page):
        target = page if not name else (page.parent / name).resolve()
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


def test_the_site_shows_every_page() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    shown = set(re.findall(r"'([\w/-]+\.md)'", str(config["project"]["nav"])))
    hidden = {"signals/"}
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert shown <= written
    assert {name for name in written - shown if not any(name.startswith(part) for part in hidden)} == set()


def test_every_command_has_its_section() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert all(f"\n## {name}\n" in text or f"\n## stillwatch {name}\n" in text for name in COMMANDS)


def test_every_page_that_an_error_points_to_exists() -> None:
    source = (ROOT / "src/stillwatch/errors.py").read_text(encoding="utf-8")
    named = set(re.findall(r"docs/[\w-]+\.md", source))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_authorizations_file_that_is_shown_can_be_read(tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (DOCS / "concepts.md").read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "authorizations.yml"
    file.write_text(shown[0])
    assert [permission.purpose for permission in read_authorizations(file)] == ["licensed_distillation"]


def test_the_readme_says_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.index("./run demo") < readme.index("./run scan") < readme.index("## ")
