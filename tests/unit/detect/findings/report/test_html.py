import re
from html.parser import HTMLParser

import numpy as np
import pytest

from stillwatch.detect.findings.report.html import build_page
from stillwatch.detect.findings.report.html.drawing import draw_graph, draw_timeline, value_levels
from stillwatch.detect.findings.report.html.layout import place_nodes
from stillwatch.domain.findings import GraphSample, InputSummary, ScanReport, Severity

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Walker(HTMLParser):
    """Collects tags, ids and attributes, and checks that elements close in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def walk(page: str) -> Walker:
    walker = Walker()
    walker.feed(page)
    walker.close()
    assert walker.open == []
    return walker


def test_every_element_closes_and_every_id_is_unique(report: ScanReport) -> None:
    ids = [a["id"] for _, a in walk(build_page(report)).tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_every_reference_points_at_something_on_the_page(report: ScanReport) -> None:
    tags = walk(build_page(report)).tags
    ids = {a.get("id") for _, a in tags}
    hrefs = [a["href"] or "" for tag, a in tags if "href" in a and tag != "link"]
    assert hrefs
    assert all(h.startswith("#") and h[1:] in ids for h in hrefs)
    labelled = " ".join(a.get("aria-labelledby") or "" for _, a in tags).split()
    assert set(labelled) <= ids


def test_the_page_names_no_address_and_loads_nothing(report: ScanReport) -> None:
    page = build_page(report)
    assert (
        re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page.replace("//www.w3.org/2000/svg", "")) == []
    )
    loading = [
        (tag, a)
        for tag, a in walk(page).tags
        if "src" in a or tag in {"iframe", "object", "embed", "img", "base"}
    ]
    assert loading == []


def test_the_policy_allows_two_hashes_and_no_inline_attribute(report: ScanReport) -> None:
    page = build_page(report)
    tags = walk(page).tags
    policy = next(a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 2
    assert [a for _, a in tags if "style" in a or any(name.startswith("on") for name in a)] == []


def test_text_from_traffic_never_becomes_an_element(hostile_report: ScanReport, report: ScanReport) -> None:
    tags = {tag for tag, _ in walk(build_page(hostile_report)).tags}
    assert tags == {tag for tag, _ in walk(build_page(report)).tags}


def test_text_from_traffic_is_never_run_as_a_template(hostile_report: ScanReport) -> None:
    page = build_page(hostile_report)
    assert "{{ 7 * 7 }}" in page
    assert "/bin/sh" not in page


def test_reordering_characters_are_written_out(hostile_report: ScanReport) -> None:
    page = build_page(hostile_report)
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_every_severity_and_label_has_a_word_beside_its_color(report: ScanReport) -> None:
    page = build_page(report)
    for word in (
        "critical",
        "high",
        "medium",
        "low",
        "distillation-shaped demand",
        "resold access",
        "authorized use",
    ):
        assert re.search(rf'class="badge [^"]+"><svg class="icon".*?</svg>{word}</span>', page), word


def test_evidence_is_sorted_by_nats(report: ScanReport) -> None:
    table = build_page(report).split('<table class="evidence">')[1].split("</tbody>")[0]
    shown = [
        float(v.replace("\N{MINUS SIGN}", "-")) for v in re.findall(r'class="num strong">([^<]+)<', table)
    ]
    assert len(shown) == 10
    assert shown == sorted(shown, reverse=True)


def test_accounts_are_listed_up_to_two_hundred_with_the_total_said(report: ScanReport) -> None:
    page = build_page(report)
    assert "The first 200 of 897 labeled accounts" in page
    assert page.split('id="accounts-table"')[1].count("<tr><td") == 200


def test_a_page_without_findings_says_that_this_is_no_proof(report: ScanReport) -> None:
    empty = report.model_copy(update={"findings": (), "authorized": (), "prevalence": ()})
    page = build_page(empty)
    walk(page)
    assert "No findings in 4,218,340 requests" in page
    assert "no proof that there is nothing" in page


def test_many_findings_keep_the_page_small(report: ScanReport) -> None:
    many = tuple(
        report.findings[2].model_copy(update={"finding_id": f"f-{n}", "campaign_id": f"c-{n}"})
        for n in range(300)
    )
    page = build_page(report.model_copy(update={"findings": many}))
    walk(page)
    assert "240 further findings, in full in findings.json" in page
    assert len(page) < 4_000_000


def test_the_same_graph_is_always_drawn_the_same_and_inside_the_frame() -> None:
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, 80, (200, 2))
    weight = rng.uniform(1, 9, 200)
    places = place_nodes(80, pairs, weight)
    assert np.array_equal(places, place_nodes(80, pairs, weight))
    assert places.min() >= 0.0
    assert places.max() <= 1.0
    assert len({tuple(p) for p in places.round(4).tolist()}) == 80


def test_linked_accounts_stand_closer_than_others() -> None:
    left = [(a, b) for a in range(10) for b in range(a)]
    pairs = np.array([*left, *[(a + 10, b + 10) for a, b in left]])
    places = place_nodes(20, pairs, np.ones(len(pairs)))
    inside = np.linalg.norm(places[:10] - places[:10].mean(axis=0), axis=1).mean()
    between = float(np.linalg.norm(places[:10].mean(axis=0) - places[10:].mean(axis=0)))
    assert between > 2 * inside


def test_a_graph_says_how_much_of_it_is_drawn(report: ScanReport) -> None:
    drawn = draw_graph(report.findings[0])
    assert drawn is not None
    assert drawn.words.startswith("90 of 640 accounts and ")
    lonely = report.findings[0].model_copy(update={"graph": GraphSample()})
    assert draw_graph(lonely) is None


@pytest.mark.parametrize("most", [1, 3, 7, 48, 999, 21_535, 8_000_000])
def test_value_axes_have_few_round_levels(most: int) -> None:
    levels = value_levels(most)
    assert 1 <= len(levels) <= 6
    assert all(0 < level.at <= 1 for level in levels)


def test_a_timeline_puts_every_day_on_the_axis_of_the_scan(report: ScanReport) -> None:
    finding = report.findings[1]
    first, last = report.scanned.first, report.scanned.last
    assert first
    assert last
    timeline = draw_timeline(finding, first.date(), last.date())
    assert timeline is not None
    assert len(timeline.bars) == 9
    assert all(0 <= b.left <= 1 - b.width + 1e-9 for b in timeline.bars)
    assert max(b.exchanges for b in timeline.bars) == 1.0


def test_a_low_finding_is_short(report: ScanReport) -> None:
    assert report.findings[-1].severity is Severity.LOW
    article = build_page(report).split(f'id="{report.findings[-1].finding_id}"')[1].split("</article>")[0]
    assert "<table" not in article
    assert 'class="graph"' not in article
    assert "observe" in article


def test_what_was_read_of_the_baseline_is_on_the_page_where_there_is_one(report: ScanReport) -> None:
    assert "What was read of the baseline" not in build_page(report)
    read = InputSummary(files=3, requests=51_200, rejected=7)
    page = build_page(report.model_copy(update={"baseline": read}))
    assert walk(page).tags
    said = page[page.index("What was read of the baseline") :]
    assert "51,200" in said[:600]
