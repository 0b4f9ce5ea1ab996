"""Logs in: one file per log format, each turned into the canonical request table."""

from stillwatch.detect.logs.reading.formats import LogFormat, log_formats
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.rejected import RejectedLog
from stillwatch.detect.logs.reading.summary import ReadSummary
from stillwatch.detect.logs.requests import RequestBatches, read_requests

__all__ = [
    "LogFormat",
    "ReadLimits",
    "ReadSummary",
    "RejectedLog",
    "RequestBatches",
    "log_formats",
    "read_requests",
]
