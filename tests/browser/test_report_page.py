from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stillwatch.domain.findings import ScanReport

Open = Callable[..., Any]
pytestmark = pytest.mark.xdist_group("browser")  # one Chromium for all
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def test_the_page_opens_without_a_console_message_and_asks_for_nothing_else(
    open_page: Open, report: ScanReport
) -> None:
    page = open_page(report)
    assert page.wrong == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in page.asked if url.startswith("file:")]) == 1


def test_text_from_traffic_does_nothing(open_page: Open, hostile_report: ScanReport) -> None:
    page = open_page(hostile_report)
    page.locator("summary").first.click()
    page.wait_for_timeout(100)
    assert page.evaluate("window.pwned") is None
    assert page.wrong == []
    assert [url for url in page.asked if "evil" in url] == []
    assert page.locator("main img, main iframe, main script, main meta").count() == 0
    shown = page.locator(".exemplars bdi").first.inner_text()
    assert shown == "</style></script><script>window.pwned=1</script>"


def test_the_policy_stops_a_script_and_a_style_that_get_in_all_the_same(
    open_page: Open, report: ScanReport
) -> None:
    page = open_page(report)
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.pwned = 1';
            document.body.append(script);
            document.querySelector('h1').setAttribute('style', 'color: rgb(1, 2, 3)');
            const image = new Image();
            image.src = 'https://evil.example/pixel.png';
            document.body.append(image);
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(1, 2, 3)"
    assert len([line for line in page.wrong if "Content Security Policy" in line]) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_all_text_has_enough_contrast(open_page: Open, report: ScanReport, scheme: str, width: int) -> None:
    page = open_page(report, scheme=scheme, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate(CONTRAST) == []


def test_the_page_follows_the_system_theme_until_a_reader_chooses(
    open_page: Open, report: ScanReport
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark, light = open_page(report, scheme="dark"), open_page(report, scheme="light")
    night, day = dark.evaluate(ground), light.evaluate(ground)
    assert night != day
    light.get_by_role("button", name="dark").click()
    assert light.evaluate(ground) == night
    assert light.get_by_role("button", name="dark").get_attribute("aria-pressed") == "true"
    dark.get_by_role("button", name="light").click()
    assert dark.evaluate(ground) == day
    dark.get_by_role("button", name="system").click()
    assert dark.evaluate(ground) == night


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out_sideways(open_page: Open, report: ScanReport, width: int) -> None:
    page = open_page(report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_word_without_end_breaks_instead_of_sticking_out(open_page: Open, report: ScanReport) -> None:
    endless = "x" * 400
    finding = report.findings[0]
    evidence = tuple(e.model_copy(update={"sentence": endless, "name": endless}) for e in finding.evidence)
    changed = finding.model_copy(
        update={"title": endless, "severity_reasons": (endless,), "action": endless, "evidence": evidence}
    )
    page = open_page(report.model_copy(update={"findings": (changed,)}), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_first_tab_offers_to_skip_to_the_report(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_control_is_reached_by_tab_and_shows_its_focus(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    controls = page.locator("a[href], button, input, summary, .scroll[tabindex='0']").count()
    reached = set()
    for _ in range(controls + 20):
        page.keyboard.press("Tab")
        state = page.evaluate(
            """() => {
                const e = document.activeElement;
                const all = [...document.querySelectorAll('*')];
                return [all.indexOf(e), getComputedStyle(e).outlineStyle, e.tagName];
            }"""
        )
        if state[2] == "BODY":
            break
        assert state[1] != "none", state
        reached.add(state[0])
    assert len(reached) >= controls


def test_a_link_to_a_finding_moves_the_focus_there(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    page.locator(".toc ul ul a").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.id") == report.findings[1].finding_id


def test_accounts_can_be_filtered_and_sorted_by_keyboard(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    rows = page.locator("#accounts-table tbody tr")
    first = rows.first.locator("td").first.inner_text()
    page.get_by_label("Filter").fill(first)
    assert page.locator("#accounts-table tbody tr:visible").count() == 1
    assert page.locator("#accounts-status").inner_text() == "1 of 200 rows shown"
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Account").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    header = page.locator("#accounts-table th").first
    assert header.get_attribute("aria-sort") == "descending"
    names = rows.locator("td:first-child").all_inner_texts()
    assert names == sorted(names, reverse=True)


def test_every_chart_has_a_name(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img]')].filter(svg => {
            const by = svg.getAttribute('aria-labelledby');
            return !(svg.getAttribute('aria-label') || (by && document.getElementById(by)?.textContent.trim()));
        }).length"""
    )
    assert unnamed == 0
    assert page.locator("svg[role=img]").count() >= 8


def test_headings_never_skip_a_level(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_printing_opens_what_was_closed_and_hides_the_controls(open_page: Open, report: ScanReport) -> None:
    page = open_page(report)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".toc").is_visible()
    assert not page.locator(".themes").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert len(page.pdf()) > 10_000


def test_the_page_reads_in_full_without_its_script(browser: Any, open_page: Open, report: ScanReport) -> None:
    file = open_page(report).url
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file)
    text = page.locator("main").inner_text()
    context.close()
    for finding in report.findings:
        assert finding.title in text
    assert "The first 200 of 897 labeled accounts" in text
