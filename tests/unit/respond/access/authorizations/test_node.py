"""Each round of the node records which authorizations have ended."""

from datetime import UTC, date, datetime
from pathlib import Path

from stillwatch.domain.authorizations import Authorization, Purpose
from stillwatch.respond.access.authorizations.recording import KIND, grant
from stillwatch.respond.audit import AuditTrail
from stillwatch.respond.node.consequences import StoreFollowUp
from stillwatch.respond.store import open_store

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_round_records_what_has_ended_in_the_meantime(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'node.db'}"
    permission = Authorization(
        authorization_id="EV-1",
        purpose=Purpose.EVALUATION,
        account_ids=("a1",),
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 20),
        approved_by="Head of evaluations",
        approved_on=date(2026, 11, 1),
    )
    with open_store(database) as store:
        trail = AuditTrail(store, lambda: DAY)
        with trail.writing("person:alice") as write:
            grant(write, permission)
        rounds = StoreFollowUp(database)
        for day, count in ((20, 1), (21, 2), (22, 2)):
            rounds.follow([], DAY.replace(day=day), {})
            assert len(trail.of(KIND, "EV-1")) == count
