"""Logs in: one file per log format, each turned into the canonical request table."""

from stillwatch.detect.logs.accounts import AccountTable, load_accounts, read_accounts
from stillwatch.detect.logs.authorizations import purpose_named, read_authorizations
from stillwatch.detect.logs.reading.column_names import columns_map_of
from stillwatch.detect.logs.reading.formats import LogFormat, log_formats
from stillwatch.detect.logs.reading.limits import ReadLimits
from stillwatch.detect.logs.reading.rejected import RejectedLog
from stillwatch.detect.logs.reading.summary import ReadSummary
from stillwatch.detect.logs.requests import RequestBatches, read_requests

__all__ = [
    "AccountTable",
    "LogFormat",
    "ReadLimits",
    "ReadSummary",
    "RejectedLog",
    "RequestBatches",
    "columns_map_of",
    "load_accounts",
    "log_formats",
    "purpose_named",
    "read_accounts",
    "read_authorizations",
    "read_requests",
]
