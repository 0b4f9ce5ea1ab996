"""Campaign ids that last."""

from hypothesis import given, strategies as st

from stillwatch.detect.campaigns.tracking import campaign_ids

ACCOUNTS = [f"a{number:02d}" for number in range(40)]


def known_as(name: str, accounts: list[str]) -> dict[str, str]:
    """Say under which id accounts were known."""
    return dict.fromkeys(accounts, name)


def test_a_new_campaign_is_named_after_its_first_account() -> None:
    first = campaign_ids([["a05", "a06", "a07"]], {})
    assert first == campaign_ids([["a05", "a20", "a21", "a22"]], {})
    assert first != campaign_ids([["a06", "a05", "a07"]], {})


def test_accounts_that_join_change_no_id() -> None:
    assert campaign_ids([ACCOUNTS[:20]], known_as("campaign-x", ACCOUNTS[:8])) == ["campaign-x"]


def test_accounts_that_leave_change_no_id() -> None:
    assert campaign_ids([ACCOUNTS[5:8]], known_as("campaign-x", ACCOUNTS[:8])) == ["campaign-x"]


def test_replaced_accounts_inherit() -> None:
    known = known_as("campaign-x", ACCOUNTS[:8])
    for start in (4, 8, 12, 16):
        cluster = ACCOUNTS[start : start + 8]
        assert campaign_ids([cluster], known) == ["campaign-x"]
        known |= known_as("campaign-x", cluster)


def test_of_a_split_the_larger_part_keeps_the_id() -> None:
    small, large = ACCOUNTS[:3], ACCOUNTS[3:10]
    ids = campaign_ids([small, large], known_as("campaign-x", ACCOUNTS[:10]))
    assert ids[1] == "campaign-x"
    assert ids[0] != "campaign-x"


def test_a_split_off_part_does_not_take_the_name_it_was_founded_under() -> None:
    original = campaign_ids([ACCOUNTS[:10]], {})[0]
    known = known_as(original, ACCOUNTS[:10])
    ids = campaign_ids([ACCOUNTS[:3], ACCOUNTS[3:10]], known)
    assert ids[1] == original
    assert ids[0] != original


def test_of_two_campaigns_that_merge_the_larger_gives_its_id() -> None:
    known = known_as("campaign-x", ACCOUNTS[:4]) | known_as("campaign-y", ACCOUNTS[4:10])
    assert campaign_ids([ACCOUNTS[:10]], known) == ["campaign-y"]


def test_a_stray_account_brings_no_id_with_it() -> None:
    known = known_as("campaign-x", ACCOUNTS[:1]) | known_as("campaign-y", ACCOUNTS[1:10])
    assert campaign_ids([ACCOUNTS[:10]], known) == ["campaign-y"]


@given(
    st.lists(st.sets(st.sampled_from(ACCOUNTS), min_size=1), max_size=8),
    st.dictionaries(st.sampled_from(ACCOUNTS), st.sampled_from(["campaign-x", "campaign-y", "campaign-z"])),
)
def test_no_two_campaigns_have_one_id(groups: list[set[str]], known: dict[str, str]) -> None:
    clusters: list[list[str]] = []
    for group in groups:
        rest = sorted(group.difference(*clusters))
        if rest:
            clusters.append(rest)
    ids = campaign_ids(clusters, known)
    assert len(ids) == len(set(ids)) == len(clusters)
    assert ids == campaign_ids(clusters, known)
