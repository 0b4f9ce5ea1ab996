"""A complete report of an invented scan, for the docs, the screenshots and the tests."""

from stillwatch.detect.findings.report.example.report import example_report

__all__ = ["example_report"]
