"""From calls to the canonical request table."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.domain.requests import REQUESTS
from stillwatch.lab.simulation import chance, clients, networks, style, texts
from stillwatch.lab.simulation.accounts import DAY_US, Accounts
from stillwatch.lab.simulation.chance import Floats, Indices, Keys
from stillwatch.lab.simulation.events import Events
from stillwatch.lab.simulation.grammar import TextKeys
from stillwatch.lab.simulation.names import SURFACES
from stillwatch.lab.simulation.places import CODES

_HEX = np.frombuffer("".join(f"{value:02x}" for value in range(256)).encode(), np.uint8).reshape(256, 2)
# Mean characters per token, by index of `LANGUAGES`: languages without spaces need more tokens per character.
_CHARS_PER_TOKEN = np.array([4.1, 1.5, 3.6, 3.7, 1.6, 1.7, 2.8, 3.0, 3.6, 3.6])
_BATCH = SURFACES.index("batch")
_APP = SURFACES.index("app")
_CLOUDS = (SURFACES.index("bedrock"), SURFACES.index("vertex"))


class Lab(NamedTuple):
    """What every row of a lab has in common.

    Attributes:
        name: The lab, which gives its models their names.
        key: Its chance.
        accounts: All its accounts.
        account_ids: Their public ids, `(n_accounts,)`.
        talks_ids: Per account, whether it passes conversation ids.
        start_us: First instant of the scenario.
        release_us: When the new model came out, or none.
    """

    name: str
    key: int
    accounts: Accounts
    account_ids: pa.StringArray
    passes_ids: npt.NDArray[np.bool_]
    start_us: int
    release_us: int | None


class Tokens(NamedTuple):
    """Lengths of one exchange, and how it ended."""

    input: Indices
    output: Indices
    reasoning: Indices
    status: Indices
    finish: pa.Array


def identifiers(keys: Keys, prefix: str = "", digits: int = 24) -> pa.StringArray:
    """Write keys as opaque ids of one length.

    Args:
        keys: `(n,)` uint64.
        prefix: What every id starts with.
        digits: Hexadecimal digits, at most 32.
    """
    raw = (
        np.stack([chance.mix(keys, 101), chance.mix(keys, 202)], axis=1).view(np.uint8).reshape(len(keys), 16)
    )
    body = _HEX[raw].reshape(len(keys), 32)[:, :digits]
    head = np.frombuffer(prefix.encode(), np.uint8)
    table = np.concatenate([np.broadcast_to(head, (len(keys), len(head))), body], axis=1)
    offsets = np.arange(len(keys) + 1, dtype=np.int32) * table.shape[1]
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(np.ascontiguousarray(table).tobytes())]
    return pa.StringArray.from_buffers(len(keys), buffers[1], buffers[2])


def request_keys(lab: Lab, events: Events) -> Keys:
    """Give each call its own key, from who called, when, and where in the conversation."""
    who = lab.accounts.key[events.account]
    when = chance.mix(events.time.astype(np.uint64), 31) ^ events.turn.astype(np.uint64)
    return chance.combine(chance.mix(who, lab.key), when ^ events.conversation)


def requests_table(lab: Lab, events: Events) -> pa.RecordBatch:
    """Write calls as canonical rows.

    Args:
        lab: The lab.
        events: Calls, sorted by time.
    """
    rows = request_keys(lab, events)
    account, accounts = events.account, lab.accounts
    events = _apart(events, rows)
    keys = TextKeys(events.item, events.theme, events.owner)
    kind, language = events.text.astype(np.int64), events.language.astype(np.int64)
    # A harvest goes on within a sitting, but each of its questions is a new one.
    said = np.where(events.campaign < 0, events.turn, 0)
    written = texts.write(kind, language, said, keys)
    prompt = style.typed(written, events, chance.combine(accounts.person[account], events.owner), rows)
    system = texts.write_system(kind, language, keys)
    # What the provider's own app puts before a conversation is no part of the customer's request.
    sends = accounts.system[account] & (accounts.surface[account] != _APP)
    system = pc.if_else(pa.array(sends), system, None)
    tokens = _tokens(lab, events, rows, prompt, system)
    columns = (
        _identity(lab, events, rows)
        | _origin(lab, events)
        | _parameters(lab, events, rows)
        | {"system_instructions": system, "prompt": prompt, "message_count": _messages(lab, events)}
        | _result(lab, events, rows, tokens)
    )
    arrays = [pa.array(columns[field.name]).cast(field.type, safe=False) for field in REQUESTS]
    return pa.RecordBatch.from_arrays(arrays, schema=REQUESTS)


def _apart(events: Events, rows: Keys) -> Events:
    # The calls of a job or a harvest do not continue each other; only people's turns and agents' steps do.
    follows = np.array([kind.follows for kind in texts.text_kinds()])[events.text]
    turn = np.where(follows, events.turn, 0)
    return replace(events, turn=turn, thread=np.where(follows, events.conversation, rows))


def _identity(lab: Lab, events: Events, rows: Keys) -> dict[str, object]:
    account = events.account
    spare = chance.pick(lab.accounts.key[account], chance.salt("keys"), 3).astype(np.uint64)
    used = (chance.uniform(events.conversation, chance.salt("which key")) * (spare + np.uint64(1))).astype(
        np.uint64
    )
    api_key = chance.combine(lab.accounts.key[account], used)
    surface = lab.accounts.surface[account]
    has_conversation = (surface == _APP) | lab.passes_ids[account]
    return {
        "request_id": identifiers(rows),
        "time": pa.array(events.time, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "account_id": lab.account_ids.take(pa.array(account)),
        "api_key_id": identifiers(api_key, "key_", 16),
        "user_id": _only(identifiers(events.user, "user_", 12), events.user != 0),
        "conversation_id": _only(identifiers(events.thread, "conv_", 16), has_conversation),
    }


def _origin(lab: Lab, events: Events) -> dict[str, object]:
    accounts, account = lab.accounts, events.account
    day = (events.time - lab.start_us) // DAY_US
    route = networks.Route(
        accounts.network_kind[account], accounts.network[account], accounts.key[account], events.conversation,
        accounts.country[account], day, accounts.pool[account],
    )  # fmt: skip
    place = networks.locate(route)
    library, client = accounts.library[account], accounts.client[account]
    version = clients.versions(library, client, np.where(accounts.frozen[account], -1, day))
    platform = clients.platforms(library, client)
    in_cloud = np.isin(accounts.surface[account], _CLOUDS)
    return {
        "client_address": networks.dotted(place.address),
        "client_asn": place.asn,
        "client_country": pa.array(CODES).take(pa.array(place.country)),
        # A cloud marketplace ends the TLS connection itself.
        "tls_ja4": _only(clients.handshakes(library, version, platform), ~in_cloud),
        "user_agent": clients.user_agents(library, version, platform),
        "surface": pa.array(SURFACES).take(pa.array(accounts.surface[account])),
    }


def _parameters(lab: Lab, events: Events, rows: Keys) -> dict[str, object]:
    accounts, account = lab.accounts, events.account
    app = accounts.surface[account] == _APP
    wants = accounts.logprobs[account] & ~app
    depth = 1 + chance.pick(accounts.owner[account], chance.salt("top"), 5)
    return {
        "model": _models(lab, events, rows),
        "operation": pa.array(["chat"]).take(pa.array(np.zeros(len(rows), np.int64))),
        "tool_count": np.where(app, 0, accounts.tools[account]),
        "temperature": _number(np.where(app, np.nan, accounts.temperature[account])),
        "top_p": _number(np.where(app, np.nan, accounts.top_p[account])),
        "choice_count": np.where(app, 1, accounts.choices[account]),
        "max_tokens": _number(np.where(app, np.nan, accounts.max_tokens[account])),
        "logprobs": wants,
        "top_logprobs": _only(pa.array(depth), wants),
        "stream": app | accounts.stream[account],
        "reasoning_effort": _only(pa.array(accounts.effort[account], pa.string()), ~app),
        "response_format": _only(pa.array(accounts.response_format[account], pa.string()), ~app),
    }


def _models(lab: Lab, events: Events, rows: Keys) -> pa.StringArray:
    accounts, account = lab.accounts, events.account
    # One call in eight of a customer goes to another model than usual.
    other = chance.uniform(events.conversation, chance.salt("other model")) < 0.12
    kind = np.where(
        other,
        chance.pick_weighted(events.conversation, chance.salt("which"), (60, 30, 10)),
        accounts.model[account],
    )
    new = np.zeros(len(rows), bool)
    if lab.release_us is not None:
        # Ordinary customers move over weeks: each has a day, most of them after the end of a short scenario.
        wait_us = chance.log_normal(accounts.person[account], chance.salt("moves"), 30.0, 1.2) * DAY_US
        new = (events.time >= lab.release_us + wait_us) | events.pivot
        new &= events.time >= lab.release_us
    names = pa.array(
        [f"{lab.name}-{name}" for name in ("large-2", "mini-2", "reason-1", "large-3", "mini-3", "large-3")]
    )
    return names.take(pa.array(kind + 3 * new))


def _messages(lab: Lab, events: Events) -> Indices:
    history = lab.accounts.history[events.account]
    steps = np.where(
        history > 0, chance.pick(events.item, chance.salt("history"), 1 << 20) % (2 * history + 1), 0
    )
    return np.minimum(1 + 2 * events.turn + steps, 400)


def _tokens(lab: Lab, events: Events, rows: Keys, prompt: pa.Array, system: pa.Array) -> Tokens:
    accounts, account = lab.accounts, events.account
    chars = pc.add(pc.utf8_length(prompt), pc.fill_null(pc.utf8_length(system), 0)).to_numpy(
        zero_copy_only=False
    )
    context = accounts.context[account] * chance.log_normal(rows, chance.salt("context"), 1.0, 0.8)
    said = events.turn * chance.log_normal(events.conversation, chance.salt("said"), 260.0, 0.6)
    size = 4 + chars / _CHARS_PER_TOKEN[events.language] + context + said + 60 * accounts.tools[account]
    kinds = texts.text_kinds()
    median = np.array([kind.output_tokens for kind in kinds])[events.text]
    sigma = np.array([kind.sigma for kind in kinds])[events.text]
    output = np.maximum(1, chance.log_normal(rows, chance.salt("answer"), median, sigma))
    reasons = accounts.model[account] == 2
    thought = np.where(reasons, output * chance.log_normal(rows, chance.salt("thought"), 2.2, 0.8), 0.0)
    limit = np.nan_to_num(accounts.max_tokens[account], nan=32_000.0)
    cut = output + thought > limit
    thought = np.where(cut, np.minimum(thought, limit * 0.8), thought)
    output = np.where(cut, limit - thought, output)
    return _ended(
        lab,
        events,
        rows,
        Tokens(
            size.astype(np.int64),
            output.astype(np.int64).clip(1),
            thought.astype(np.int64),
            np.zeros(0, np.int64),
            cut,
        ),
    )


def _ended(lab: Lab, events: Events, rows: Keys, so_far: Tokens) -> Tokens:
    busy = 0.004 + 0.02 * chance.uniform(lab.accounts.key[events.account], chance.salt("limits")) ** 4
    drawn = chance.uniform(rows, chance.salt("status"))
    batch = lab.accounts.surface[events.account] == _BATCH
    status = np.select(
        [(drawn < busy) & ~batch, drawn > 0.9985, drawn > 0.9975, drawn > 0.9965], [429, 500, 529, 400], 200
    )  # fmt: skip
    good = status == 200
    tools = (lab.accounts.tools[events.account] > 0) & (chance.uniform(rows, chance.salt("calls tool")) < 0.7)
    code = np.select([np.asarray(so_far.finish), tools], [1, 2], 0)
    finish = _only(pa.array(["stop", "length", "tool_calls"]).take(pa.array(code)), good)
    return Tokens(so_far.input, so_far.output * good, so_far.reasoning * good, status, finish)


def _result(lab: Lab, events: Events, rows: Keys, tokens: Tokens) -> dict[str, object]:
    pace_ms = 9.0 + 6.0 * (lab.accounts.model[events.account] != 1)
    waited = chance.log_normal(rows, chance.salt("latency"), 1.0, 0.35)
    latency = waited * (180 + 0.02 * tokens.input + pace_ms * (tokens.output + tokens.reasoning))
    return {
        "input_tokens": tokens.input,
        "output_tokens": tokens.output * np.maximum(1, _choices(lab, events)),
        "reasoning_tokens": tokens.reasoning,
        "finish_reason": tokens.finish,
        "status": tokens.status,
        "latency_ms": latency.astype(np.int64).clip(20, 3_600_000),
    }


def _choices(lab: Lab, events: Events) -> Indices:
    app = lab.accounts.surface[events.account] == _APP
    return np.where(app, 1, lab.accounts.choices[events.account])


def _only(values: pa.Array, where: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(where), values, pa.scalar(None, values.type))


def _number(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
