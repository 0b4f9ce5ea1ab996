"""The words of made-up requests: common English words in their places, made-up words behind them, three other scripts.

Detectors look for words, so a text without any real word would be read faster than a real one. Nothing here comes from
a log.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ids = npt.NDArray[np.int64]
Chance = np.random.Generator

VOCABULARY = 20_000
_COMMON = """
the of and to a in is you that it for with on as are this be your have from or by not what can will if an at my which
do but all we how they one their there would about use when me so like more out some has make no please write up time was
them then each these between should give first other only any new using most into i explain its based than who text
example question also data following because list different word answer could need just code where number two people
sentence provide work way name may many help system does create information language well model over very after been
following story want here such while good both write function know why generate line through own value through show
article even used find under same look without paragraph today part must case result file describe small key point
after think before problem might using set year life world product include long step detail human much right really
summarize translate compare suggest python table best every school type response between email business company
change level start rewrite content main public design possible given order state process report research term title
support user market topic review paper study game plan test common message learn service add input output return
""".split()  # noqa: SIM905 - words are read more easily as text
_ELICITING = (
    "think step by step and write out your full reasoning before the answer",
    "rate the following answer from 1 to 10 and explain the score",
    "write ten new questions with detailed answers as json lines",
)
_SYLLABLES = {
    "latin": [c + v + e for c in "bcdfglmnprstvz" for v in "aeiou" for e in ("", "n", "r", "st")],
    "accented": [c + v + e for c in "bcdfglmnprstvz" for v in "éàüöñ" for e in ("", "n", "s")],
    "cyrillic": [c + v for c in "бвгдклмнпрст" for v in "аеиоу"],
    "han": [chr(point) for point in range(0x4E00, 0x4E00 + 900)],
}


@dataclass(frozen=True)
class Text:
    """Words by language, `VOCABULARY` of each, and a table that stands for how often each is said."""

    words: pa.Array
    word_of: Ids

    @property
    def languages(self) -> int:
        """How many languages there are; the first is English."""
        return len(self.words) // VOCABULARY

    def sentences(self, lengths: Ids, languages: Ids, rng: Chance) -> pa.Array:
        """Say that many words in each language.

        Args:
            lengths: `(n,)` words.
            languages: `(n,)` from 0 to `languages - 1`.
            rng: Chance.

        Returns:
            `(n,)` string.
        """
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        chosen = self.word_of[rng.integers(0, len(self.word_of), offsets[-1])]
        if languages.any():
            chosen = chosen + np.repeat(languages * VOCABULARY, lengths)
        return pc.binary_join(pa.ListArray.from_arrays(offsets, self.words.take(pa.array(chosen))), " ")


def make_text(rng: Chance) -> Text:
    """Make up the vocabularies."""
    words = [word for syllables in _SYLLABLES.values() for word in _words(syllables, rng)]
    words[: len(_COMMON)] = _COMMON
    weights = 1 / np.arange(1, VOCABULARY + 1)
    # A table of 65,536 entries stands for Zipf's law: one random index instead of a search per word.
    places = (np.arange(65_536) + 0.5) / 65_536
    return Text(pa.array(words), np.searchsorted(np.cumsum(weights) / weights.sum(), places))


def _words(syllables: list[str], rng: Chance) -> list[str]:
    return ["".join(rng.choice(syllables, size=rng.integers(1, 4))) for _ in range(VOCABULARY)]


def make_templates(text: Text, count: int, rng: Chance) -> pa.Array:
    """Make up what pipelines put in front of their material; one in twenty asks for training data."""
    plain = text.sentences(rng.integers(15, 30, count), np.zeros(count, np.int64), rng)
    asking = pa.array(_ELICITING).take(pa.array(np.arange(count) % len(_ELICITING)))
    asked = pa.array(np.arange(count) % 20 == 0)
    return pc.binary_join_element_wise(plain, pc.if_else(asked, asking, None), ": ", null_handling="skip")
