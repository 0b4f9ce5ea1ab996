"""How people type: small letters, missing periods, slips of the finger, a polite word in front."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.lab.simulation import chance, texts
from stillwatch.lab.simulation.chance import Keys
from stillwatch.lab.simulation.events import Events

_CARELESS = 0.04  # share of typed texts with a slip, in the hands of an average typist


def typed(prompt: pa.StringArray, events: Events, person: Keys, rows: Keys) -> pa.StringArray:
    """Give typed texts the hand of the person who typed them. Texts of programs stay as they are.

    Args:
        prompt: `(n,)` texts as the grammar wrote them.
        events: The calls.
        person: `(n,)` who types.
        rows: `(n,)` key of the call.
    """
    talks = np.array([kind.talk for kind in texts.text_kinds()])[events.text]
    hand = chance.mix(person, 5)
    lower = talks & (chance.uniform(hand, 1) < 0.3) & (chance.uniform(rows, 1) < 0.85)
    prompt = pc.if_else(pa.array(lower), pc.utf8_lower(prompt), prompt)
    bare = talks & (chance.uniform(hand, 2) < 0.35) & (chance.uniform(rows, 2) < 0.8)
    prompt = pc.if_else(pa.array(bare), pc.utf8_rtrim(prompt, ".?!\u3002\uff1f\u061f"), prompt)
    slips = talks & (chance.uniform(rows, 3) < _CARELESS * chance.log_normal(hand, 4, 1.0, 1.0))
    return _with_slips(prompt, np.flatnonzero(slips), rows)


def _with_slips(prompt: pa.StringArray, places: np.ndarray, rows: Keys) -> pa.StringArray:
    if not len(places):
        return prompt
    spots = chance.uniform(rows[places], 6)
    slipped = [
        _slip(text, spot) for text, spot in zip(prompt.take(pa.array(places)).to_pylist(), spots, strict=True)
    ]
    mask = np.zeros(len(prompt), dtype=bool)
    mask[places] = True
    return pc.replace_with_mask(prompt, pa.array(mask), pa.array(slipped, pa.string()))


def _slip(text: str, spot: float) -> str:
    at = int(spot * (len(text) - 1))
    if at < 1 or at + 1 >= len(text):
        return text
    kind = int(spot * 1e6) % 3
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]
