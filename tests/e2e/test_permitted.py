"""What is on record counts in a scan as what is in a file does."""

from types import SimpleNamespace as Lab

from stillwatch.detect.logs.authorizations import read_authorizations
from stillwatch.detect.logs.reading.rejected import RejectedLog
from stillwatch.detect.options import ScanOptions
from stillwatch.detect.pipeline import scan


def test_permissions_on_record_count_as_those_of_a_file_do(lab: Lab) -> None:
    file = lab.folder / "authorizations.yml"
    logs = (str(lab.folder / "requests"),)  # without the accounts table, which names permissions of its own
    from_file = scan(ScanOptions(logs=logs, authorizations=str(file)), RejectedLog())
    on_record = scan(ScanOptions(logs=logs, permitted=read_authorizations(file)), RejectedLog())
    assert from_file.report.authorized
    assert on_record.report.authorized == from_file.report.authorized
    assert [each.accounts for each in on_record.report.findings] == [
        each.accounts for each in from_file.report.findings
    ]
