"""A simulated log set is what it says: reproducible, consistent with its truth, and about nobody real."""

import hashlib
import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.unit.lab.simulation.conftest import SEED, LogSet, read

from stillwatch.detect.logs.authorizations import read_authorizations
from stillwatch.domain.requests import ACCOUNTS, REQUESTS
from stillwatch.errors import OutputError
from stillwatch.lab.simulation import at_labs, load_scenario, parse_scenario, simulate

TINY = """
name: tiny
days: 3
customers: {individual: 30, pipeline: {accounts: 1, demand: {median: 20, most: 40}}}
campaigns: [{name: small, like: bulk, start_day: 0, rate: 30}]
"""


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    scenario = parse_scenario(TINY, source="tiny")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(scenario, tmp_path / name, seed=seed)
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert first["requests/part-0000.parquet"] != other["requests/part-0000.parquet"]


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "tiny.yml").write_text(TINY.replace("individual: 30", "individual: 9, course_cohort: 9"))
    for hash_seed in ("1", "2"):
        command = [
            "-m",
            "stillwatch",
            "simulate",
            str(tmp_path / "tiny.yml"),
            "--out",
            str(tmp_path / hash_seed),
        ]
        subprocess.run([sys.executable, *command], check=True, env=os.environ | {"PYTHONHASHSEED": hash_seed})
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_progress_counts_the_days_of_every_lab(tmp_path: Path) -> None:
    done: list[float] = []
    scenario = at_labs(parse_scenario(TINY, source="tiny"), ("east", "west"))
    simulate(scenario, tmp_path, seed=1, progress=done.append)
    assert sum(done) == 6


def test_how_many_rows_are_written_at_once_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = parse_scenario(TINY, source="tiny")
    simulate(scenario, tmp_path / "a", seed=1)
    monkeypatch.setattr("stillwatch.lab.simulation.running._ROWS_AT_ONCE", 70)
    simulate(scenario, tmp_path / "b", seed=1)
    one, many = (read(tmp_path / name, None) for name in "ab")  # type: ignore[arg-type]
    assert one.requests.equals(many.requests)
    assert one.extraction.equals(many.extraction)


def test_writing_again_leaves_nothing_of_the_former_set(tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "part-0007.parquet").write_bytes(b"old")
    simulate(parse_scenario(TINY, source="tiny"), tmp_path, seed=1)
    assert [path.name for path in (tmp_path / "requests").iterdir()] == ["part-0000.parquet"]


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        simulate(parse_scenario(TINY, source="tiny"), tmp_path / "file", seed=1)


def test_tables_have_the_canonical_columns(smoke: LogSet) -> None:
    assert smoke.requests.schema.equals(REQUESTS)
    assert smoke.accounts.schema.equals(ACCOUNTS)


def test_requests_are_sorted_by_time_and_their_ids_are_unique(smoke: LogSet) -> None:
    times = smoke.requests["time"].cast(pa.int64()).to_numpy()
    assert (np.diff(times) >= 0).all()
    assert pc.count_distinct(smoke.requests["request_id"]).as_py() == smoke.requests.num_rows
    assert smoke.requests.num_rows == smoke.summary.requests


def test_accounts_and_truth_hold_exactly_the_accounts_of_the_requests(smoke: LogSet) -> None:
    seen = set(smoke.requests["account_id"].to_pylist())
    assert set(smoke.accounts["account_id"].to_pylist()) == seen
    assert set(smoke.truth["account_id"].to_pylist()) == seen
    assert smoke.accounts.num_rows == len(seen)


def test_no_request_lies_before_the_creation_or_after_the_closing_of_its_account(smoke: LogSet) -> None:
    joined = smoke.requests.select(["account_id", "time"]).join(smoke.accounts, "account_id")
    assert pc.all(pc.greater_equal(joined["time"], joined["created_at"])).as_py()
    assert pc.all(pc.less(joined["time"], joined["closed_at"])).as_py()


def test_attack_fractions_are_the_shares_of_extraction_requests(smoke: LogSet) -> None:
    extraction = set(smoke.extraction["request_id"].to_pylist())
    counts: dict[str, list[int]] = {}
    columns = smoke.requests.select(["account_id", "request_id"]).to_pydict()
    for account, request in zip(columns["account_id"], columns["request_id"], strict=True):
        counts.setdefault(account, []).append(request in extraction)
    for row in smoke.truth.to_pylist():
        flags = counts[row["account_id"]]
        assert row["attack_fraction"] == pytest.approx(sum(flags) / len(flags), abs=1e-6)
        if row["label"] == "benign":
            assert row["campaign_id"] is None
            assert not any(flags)


def test_addresses_networks_and_mail_domains_belong_to_nobody(smoke: LogSet) -> None:
    reserved = ipaddress.ip_network("240.0.0.0/4")
    for address in smoke.requests["client_address"].unique().to_pylist():
        assert ipaddress.ip_address(address) in reserved
    numbers = smoke.requests["client_asn"].unique().to_numpy()
    assert numbers.min() >= 64512
    assert numbers.max() <= 65534
    assert all(name.endswith(".example") for name in smoke.accounts["email_domain"].unique().to_pylist())


def test_every_address_belongs_to_one_network(smoke: LogSet) -> None:
    pairs = smoke.requests.select(["client_address", "client_asn"]).group_by("client_address")
    assert (
        pc.max(pairs.aggregate([("client_asn", "count_distinct")])["client_asn_count_distinct"]).as_py() == 1
    )


def test_the_authorizations_can_be_read_and_name_the_licensed(smoke: LogSet) -> None:
    granted = read_authorizations(smoke.folder / "authorizations.yml")
    covered = {account for entry in granted for account in entry.account_ids}
    licensed = smoke.truth.filter(pc.field("archetype") == "licensed_distillation")["account_id"].to_pylist()
    assert licensed
    assert set(licensed) <= covered
    marked = smoke.accounts.filter(pc.is_valid(smoke.accounts["authorization"]))["account_id"].to_pylist()
    assert set(marked) == covered


def test_the_scenario_is_written_beside_its_logs(smoke: LogSet) -> None:
    written = json.loads((smoke.folder / "scenario.json").read_text())
    assert written["seed"] == SEED
    assert written["scenario"]["name"] == "smoke"


def test_several_labs_have_a_folder_each_and_share_operators_and_some_customers(tmp_path: Path) -> None:
    scenario = at_labs(load_scenario("smoke"), ("aster", "borealis"))
    summary = simulate(scenario, tmp_path, seed=3, scale=0.5)
    sets = {lab.lab: read(lab.folder, summary) for lab in summary.labs}
    assert set(sets) == {"aster", "borealis"}
    one, two = sets.values()
    assert not set(one.accounts["account_id"].to_pylist()) & set(two.accounts["account_id"].to_pylist())
    for label in ("benign", "distillation"):
        cards = [
            set(entry.accounts.join(entry.truth.filter(pc.field("label") == label), "account_id", join_type="inner")[
                "payment_fingerprint"
            ].to_pylist())
            for entry in (one, two)
        ]  # fmt: skip
        assert cards[0] & cards[1], label
    assert set(one.truth["campaign_id"].drop_null().to_pylist()) == {
        "aster-deepseek-like", "aster-qwen-like", "aster-resale",
    }  # fmt: skip


def test_a_larger_scale_means_more_accounts_who_ask_the_same(tmp_path: Path) -> None:
    scenario = parse_scenario(TINY.replace("individual: 30", "individual: 200"), source="tiny")
    small = simulate(scenario, tmp_path / "a", seed=1, scale=1)
    large = simulate(scenario, tmp_path / "b", seed=1, scale=3)
    assert 2.3 < large.accounts / small.accounts < 3.7
    assert 2.0 < large.requests / small.requests < 4.5
