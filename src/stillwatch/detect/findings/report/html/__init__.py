"""report.html: the whole report as one page that needs nothing else."""

from stillwatch.detect.findings.report.html.page import build_page

__all__ = ["build_page"]
