"""The index says what a look through every entry would say."""

import random
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings, strategies as st

from stillwatch.domain.actions import Action, IndicatorKind, Mode, Withheld
from stillwatch.domain.calls import Call, client_value
from stillwatch.errors import DecisionError
from stillwatch.respond.decisions.changes import Change, Entry, Policy
from stillwatch.respond.decisions.index import DecisionIndex
from stillwatch.respond.decisions.networks import network_key, packed

FAR = 10**15
ADDRESSES = (
    "192.0.2.1",
    "192.0.2.77",
    "198.51.100.9",
    "2001:db8::1",
    "2001:db8:1::2",
    "::ffff:192.0.2.1",
    "nonsense",
)
NETWORKS = (
    "192.0.2.0/24",
    "192.0.2.64/26",
    "192.0.2.1/32",
    "198.51.100.0/24",
    "2001:db8::/32",
    "2001:db8::/64",
)
VALUES: dict[IndicatorKind, tuple[str, ...]] = {
    IndicatorKind.ACCOUNT: ("a", "b", "c"),
    IndicatorKind.CLIENT: (client_value("j1", "u1"), client_value("j2", "u1")),
    IndicatorKind.NETWORK: NETWORKS,
    IndicatorKind.PAYMENT: ("p1", "p2"),
    IndicatorKind.EMAIL: ("e1", "e2"),
    IndicatorKind.TEMPLATE: (f"{7:016x}", f"{2**64 - 1:016x}"),
}


def policy(action: Action = Action.BLOCK, *, live: bool = True, **more: object) -> Policy:
    if action is Action.WITHHOLD:
        more.setdefault("withheld", (Withheld.LOGPROBS,))
    if action is Action.THROTTLE:
        more = {"requests_per_min": 1.0, "burst": 1, **more}
    return Policy(action=action, live=live, **more)  # type: ignore[arg-type]


def entry(entry_id: str, *values: str, kind: IndicatorKind = IndicatorKind.ACCOUNT, **more: object) -> Entry:
    fields: dict[str, object] = {"start_us": 0, "end_us": FAR, "policy": policy(), **more}
    return Entry(entry_id=entry_id, kind=kind, values=values, **fields)  # type: ignore[arg-type]


def index_of(*entries: Entry, at_us: int = 0, rng: random.Random | None = None) -> DecisionIndex:
    index = DecisionIndex(clock=lambda: at_us, rng=rng)
    index.apply(Change(number, one.entry_id, one) for number, one in enumerate(entries, 1))
    return index


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(list(IndicatorKind)))
    start = draw(st.integers(0, 50))
    return Entry(
        entry_id=f"d{draw(st.integers(0, 12))}",
        kind=kind,
        values=tuple(draw(st.lists(st.sampled_from(VALUES[kind]), min_size=1, max_size=3))),
        start_us=start,
        end_us=start + draw(st.integers(1, 50)),
        policy=policy(
            draw(st.sampled_from([action for action in Action if action is not Action.THROTTLE])),
            live=draw(st.booleans()),
        ),
    )


calls = st.builds(
    Call,
    account_id=st.sampled_from(["a", "b", "z"]),
    client_address=st.sampled_from([None, *ADDRESSES]),
    tls_ja4=st.sampled_from([None, "j1", "j2"]),
    user_agent=st.sampled_from([None, "u1"]),
    payment=st.sampled_from([None, "p1", "p3"]),
    email=st.sampled_from([None, "e2"]),
    template=st.sampled_from([None, 7, -1, 8]),
    time_us=st.integers(0, 110),
)


def matches(one: Entry, call: Call) -> bool:
    """Look at one entry the slow way."""
    if not one.start_us <= (call.time_us or 0) < one.end_us:
        return False
    shown: dict[IndicatorKind, set[str]] = {
        IndicatorKind.ACCOUNT: {call.account_id},
        IndicatorKind.PAYMENT: {call.payment or ""},
        IndicatorKind.EMAIL: {call.email or ""},
        IndicatorKind.CLIENT: {client_value(call.tls_ja4, call.user_agent)}
        if call.tls_ja4 and call.user_agent
        else set(),
        IndicatorKind.TEMPLATE: set() if call.template is None else {f"{call.template % 2**64:016x}"},
    }
    if one.kind is not IndicatorKind.NETWORK:
        return bool(shown[one.kind] & set(one.values))
    try:
        address = ip_address(call.client_address or "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(value) for value in one.values)


def strongest(found: Sequence[Entry]) -> Action:
    return max((one.policy.action for one in found), key=lambda action: action.rank, default=Action.OBSERVE)


@settings(deadline=None, max_examples=300)
@given(
    history=st.lists(st.one_of(entries(), st.integers(0, 12)), max_size=30), asked=st.lists(calls, max_size=8)
)
def test_the_index_equals_a_look_through_every_entry(history: list[Entry | int], asked: list[Call]) -> None:
    index = DecisionIndex(clock=lambda: 0)
    current: dict[str, Entry] = {}
    for number, step in enumerate(history, 1):
        if isinstance(step, int):
            current.pop(f"d{step}", None)
            index.apply([Change(number, f"d{step}")])
        else:
            current[step.entry_id] = step
            index.apply([Change(number, step.entry_id, step)])
    assert len(index) == len(current)
    for call in asked:
        found = [one for one in current.values() if matches(one, call)]
        live = [one for one in found if one.policy.live]
        verdict = index.decide(call)
        assert verdict.action is strongest(live)
        assert verdict.would is strongest([one for one in found if not one.policy.live])
        assert verdict.refused is (strongest(live) is Action.BLOCK)
        assert verdict.withheld == ((Withheld.LOGPROBS,) if any(one.policy.withheld for one in live) else ())
        assert ((verdict.decision_id or verdict.would_id) is None) is (not found)


@settings(deadline=None)
@given(loaded=st.lists(entries(), max_size=30), at_us=st.integers(0, 120))
def test_sweeping_frees_what_has_ended_and_changes_no_verdict(loaded: list[Entry], at_us: int) -> None:
    now = [0]
    index = DecisionIndex(clock=lambda: now[0])
    index.apply(Change(number, one.entry_id, one) for number, one in enumerate(loaded, 1))
    now[0] = at_us
    before = [index.decide(Call(account_id=name)) for name in "abc"]
    index.sweep()
    assert [index.decide(Call(account_id=name)) for name in "abc"] == before
    current = {one.entry_id: one for one in loaded}
    assert len(index) == sum(one.end_us > at_us for one in current.values())


def test_expiry_needs_nobody() -> None:
    index = index_of(entry("d", "a", end_us=100))
    assert index.decide(Call("a", time_us=99)).refused
    assert not index.decide(Call("a", time_us=100)).refused


def test_an_entry_that_has_ended_is_not_loaded() -> None:
    assert len(index_of(entry("d", "a", end_us=100), at_us=100)) == 0


def test_shadow_refuses_nothing_and_says_what_it_would_have_done() -> None:
    verdict = index_of(entry("d", "a", policy=policy(live=False))).decide(Call("a"))
    assert (verdict.action, verdict.mode, verdict.refused) == (Action.OBSERVE, Mode.SHADOW, False)
    assert (verdict.would, verdict.would_refuse, verdict.would_id) == (Action.BLOCK, True, "d")


def test_a_throttle_lets_its_burst_pass_and_then_says_when_to_come_back() -> None:
    index = index_of(entry("d", "a", policy=policy(Action.THROTTLE, requests_per_min=6.0, burst=2)))
    verdicts = [index.decide(Call("a", time_us=0)) for _ in range(3)]
    assert [verdict.refused for verdict in verdicts] == [False, False, True]
    assert verdicts[2].retry_after_s == 10.0
    assert not index.decide(Call("a", time_us=10_000_000)).refused


@pytest.mark.parametrize(("pooled", "refused"), [(True, [False, True]), (False, [False, False])])
def test_a_pooled_bucket_holds_the_campaign_and_not_each_account(pooled: bool, refused: list[bool]) -> None:  # noqa: FBT001 - a table of cases
    index = index_of(entry("d", "a", "b", policy=policy(Action.THROTTLE, pooled=pooled)))
    assert [index.decide(Call(name, time_us=0)).refused for name in "ab"] == refused


def test_a_call_that_is_refused_takes_no_token_elsewhere() -> None:
    wide = entry("wide", "a", policy=policy(Action.THROTTLE, burst=2))
    narrow = entry("narrow", "a", policy=policy(Action.THROTTLE, burst=1))
    index = index_of(wide, narrow)
    assert [index.decide(Call("a", time_us=0)).refused for _ in range(3)] == [False, True, True]
    index.apply([Change(9, "narrow")])
    assert not index.decide(Call("a", time_us=0)).refused


def test_a_shadow_throttle_plays_its_bucket() -> None:
    index = index_of(entry("d", "a", policy=policy(Action.THROTTLE, live=False)))
    verdicts = [index.decide(Call("a", time_us=0)) for _ in range(2)]
    assert [verdict.would_refuse for verdict in verdicts] == [False, True]
    assert not any(verdict.refused for verdict in verdicts)


def test_a_share_spares_calls_by_chance_and_records_them() -> None:
    index = index_of(entry("d", "a", policy=policy(share=0.25)), rng=random.Random(5))
    verdicts = [index.decide(Call("a")) for _ in range(2_000)]
    refused = sum(verdict.refused for verdict in verdicts)
    assert 400 < refused < 600
    assert all(verdict.refused or verdict.would is Action.BLOCK for verdict in verdicts)


def test_several_entries_withhold_tag_and_ask_together() -> None:
    index = index_of(
        entry("1", "a", policy=policy(Action.WITHHOLD, withheld=(Withheld.LOGPROBS,))),
        entry("2", "a", policy=policy(Action.WITHHOLD, withheld=(Withheld.REASONING,))),
        entry("3", "a", policy=policy(Action.TAG, tags=("t",))),
        entry("4", "a", policy=policy(Action.VERIFY)),
    )
    verdict = index.decide(Call("a"))
    assert verdict.withheld == (Withheld.REASONING, Withheld.LOGPROBS)
    assert (verdict.tags, verdict.verify, verdict.action) == (("t",), True, Action.WITHHOLD)


def test_a_client_needs_both_halves() -> None:
    index = index_of(entry("d", client_value("j1", "u1"), kind=IndicatorKind.CLIENT))
    assert index.decide(Call("z", tls_ja4="j1", user_agent="u1")).refused
    assert not index.decide(Call("z", user_agent="u1")).refused
    assert not index.decide(Call("z", tls_ja4="j1")).refused


@pytest.mark.parametrize("value", ["", "192.0.2.0/33", "example.com", "192.0.2"])
def test_what_is_no_network_is_refused(value: str) -> None:
    with pytest.raises(DecisionError):
        network_key(value)


def test_a_mapped_address_is_the_address_it_stands_for() -> None:
    assert packed("::ffff:192.0.2.1") == packed("192.0.2.1")
    assert network_key("::ffff:192.0.2.0/120") == network_key("192.0.2.0/24")


@pytest.mark.parametrize("address", ["", "a", "192.0.2.1 ", "\x00", "[::1]", "192.0.2.256", "1\ud800"])
def test_what_is_no_address_matches_no_network(address: str) -> None:
    index = index_of(entry("d", "0.0.0.0/0", "::/0", kind=IndicatorKind.NETWORK))
    assert not index.decide(Call("z", client_address=address)).refused
