"""The report page in the browser that readers have."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.detect.findings.report.example import example_report
from stillwatch.detect.findings.report.html import build_page
from stillwatch.domain.findings import Exemplar, ScanReport

CHROMIUM = Path("/usr/bin/chromium")

HOSTILE = (
    "</style></script><script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "<svg onload=window.pwned=1><use href='https://evil.example/x#y'></use></svg>",
    "<iframe src='https://evil.example'></iframe><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<a href='javascript:window.pwned=1' autofocus onfocus=window.pwned=1>click</a>",
    "abc\u202egnp.exe",
)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Debian's Chromium once for a module, or skip where there is none.

    While it runs its driver holds an event loop in this thread, in which no other test could run one of its own.
    """
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed; .ci/run installs it")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report() -> ScanReport:
    """Return the example report."""
    return example_report()


@pytest.fixture(scope="session")
def hostile_report(report: ScanReport) -> ScanReport:
    """Return the example report with attacks where a log can put text."""
    exemplars = tuple(Exemplar(template="ab12", text=text, accounts=1, exchanges=1) for text in HOSTILE)
    findings = tuple(
        f.model_copy(
            update={
                "title": HOSTILE[0],
                "exemplars": exemplars,
                "accounts": (*HOSTILE, *f.accounts[len(HOSTILE) :]),
                "models": dict.fromkeys(HOSTILE, 1),
                "severity_reasons": HOSTILE,
            }
        )
        for f in report.findings
    )
    return report.model_copy(update={"findings": findings})


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a report; the page records what went wrong in it."""
    contexts = []

    def open_report(report: ScanReport, *, width: int = 1280, scheme: str = "light") -> Any:
        file = tmp_path / "report.html"
        file.write_text(build_page(report), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.wrong, page.asked = [], []
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (page.wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(file.as_uri(), wait_until="load")
        return page

    yield open_report
    for context in contexts:
        context.close()
