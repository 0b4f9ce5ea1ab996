"""Equal prompts have equal hashes, prompts from one template share keys, and nothing makes the kernel stumble."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, strategies as st

from stillwatch.detect.fingerprints import ascii_tokens, kernel, tokens
from stillwatch.detect.fingerprints.columns import text_buffers
from stillwatch.detect.fingerprints.tokens import HEAD_BYTES, TAIL_BYTES

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARACTERS, max_size=300)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9)


def fingerprints(*texts: str | None) -> list[tuple[int, frozenset[int], int]]:
    """Return content, keys and number of tokens of each text."""
    content, offsets, keys, sizes = kernel.fingerprint_texts(*text_buffers(pa.array(texts, pa.string())))
    return [
        (int(content[one]), frozenset(keys[offsets[one] : offsets[one + 1]].tolist()), int(sizes[one]))
        for one in range(len(texts))
    ]


def content_of(text: str) -> int:
    return fingerprints(text)[0][0]


def keys_of(text: str) -> frozenset[int]:
    return fingerprints(text)[0][1]


@given(st.lists(st.none() | TEXTS, max_size=6))
@example(["a漢" * 4_000, "é" * HEAD_BYTES, "漢" * HEAD_BYTES, "\U0001f600" * HEAD_BYTES])
@example([chr(point) for point in range(0x80, 0x900)])
def test_any_text_is_hashed_and_its_neighbors_change_nothing(texts: list[str | None]) -> None:
    together = fingerprints(*texts)
    alone = [fingerprints(text)[0] for text in texts]
    assert together == alone
    for text, (content, keys, size) in zip(texts, together, strict=True):
        assert len(keys) <= kernel.MAX_KEYS
        assert (content == 0) == (size == 0)
        if text is None:
            assert (content, keys) == (0, frozenset())


@given(st.binary(max_size=200))
def test_bytes_that_are_no_utf8_are_hashed_as_well(raw: bytes) -> None:
    data = np.frombuffer(raw, np.uint8)
    offsets = np.array([0, len(raw) // 2, len(raw)])
    content, _, _, sizes = kernel.fingerprint_texts(data, offsets, np.ones(2, np.bool_))
    assert ((content == 0) == (sizes == 0)).all()


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_slice_of_a_column_is_hashed_as_the_column(first: int, last: int) -> None:
    texts = [f"prompt number {one} of forty" for one in range(40)]
    whole = fingerprints(*texts)
    for kind in (pa.string(), pa.large_string()):
        sliced = pa.array(texts, kind)[first:last]
        content = kernel.fingerprint_texts(*text_buffers(sliced))[0]
        assert content.tolist() == [one[0] for one in whole[first:last]]


@given(
    st.lists(WORDS, min_size=1, max_size=30),
    st.sampled_from([" ", "  ", "\n", "\t ", " \r\n"]),
    st.booleans(),
)
def test_white_space_and_case_do_not_make_another_prompt(words: list[str], space: str, loud: bool) -> None:  # noqa: FBT001
    plain = " ".join(words)
    other = f"{space}{space.join(words)}{space}"
    assert content_of(other.upper() if loud else other) == content_of(plain)


@pytest.mark.parametrize(("upper", "lower"), [("ÀÉÎÕÜÞ", "àéîõüþ"), ("ΑΒΓΩ", "αβγω"), ("ЁЖЩЪЯЏ", "ёжщъяџ")])
def test_case_is_folded_in_latin_greek_and_cyrillic(upper: str, lower: str) -> None:
    assert content_of(f"see {upper} now") == content_of(f"see {lower} now")


@given(st.lists(WORDS, min_size=1, max_size=20, unique=True), st.data())
def test_another_word_makes_another_prompt(words: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(words) - 1))
    changed = [*words[:place], words[place] + "x", *words[place + 1 :]]
    assert content_of(" ".join(changed)) != content_of(" ".join(words))


def test_the_order_of_words_counts() -> None:
    assert content_of("dog bites man") != content_of("man bites dog")


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_count_for_the_content_and_not_for_the_template(first: int, second: int) -> None:
    form = "please solve exercise {} from the collection of problems below"
    one, other = fingerprints(form.format(first), form.format(second))
    assert one[1] == other[1]
    assert (one[0] == other[0]) == (first == second)


@pytest.mark.parametrize(("first", "second"), [("٣٤", "٥٦"), ("۳", "۹۹"), ("१२", "३")])
def test_numbers_of_other_scripts_are_numbers(first: str, second: str) -> None:
    form = "please solve exercise {} from the collection of problems below"
    assert keys_of(form.format(first)) == keys_of(form.format(second))
    assert content_of(form.format(first)) != content_of(form.format(second))


@pytest.mark.parametrize("text", ["12 34 56 78 90 12", "2026-03-02 10:11:12 99", "", "   \n", "!?… 🙂"])
def test_a_text_of_numbers_or_signs_has_no_template(text: str) -> None:
    assert keys_of(text) == frozenset()


@pytest.mark.parametrize("text", ["", " \n ", "!?…", "🙂🙂"])
def test_a_text_without_words_has_no_content(text: str) -> None:
    assert content_of(text) == 0


TEMPLATES = {
    "english": "You are a careful teacher of chemistry. Question: {} Explain every step before you give the final answer to it.",
    "chinese": "你是一位认真的化学老师。问题\uff1a{}。请在给出最终答案之前详细解释每一个推理步骤\uff0c并说明理由。",
    "japanese": "あなたは化学の先生です。質問\uff1a{}。最終的な答えの前に、すべての推論の手順を詳しく説明してください。",
    "korean": "당신은 꼼꼼한 화학 선생님입니다. 질문: {} 최종 답을 말하기 전에 모든 추론 단계를 자세히 설명해 주세요.",
    "thai": "คุณเป็นครูสอนเคมีที่ละเอียดรอบคอบ คำถาม: {} โปรดอธิบายทุกขั้นตอนของเหตุผลก่อนให้คำตอบสุดท้าย",
    "arabic": "أنت معلم كيمياء دقيق. السؤال: {} اشرح كل خطوة من خطوات التفكير قبل أن تعطي الجواب النهائي عنه.",
    "russian": "Вы внимательный учитель химии. Вопрос: {} Объясните каждый шаг рассуждения, прежде чем дать окончательный ответ.",
    "hindi": "आप रसायन विज्ञान के सावधान शिक्षक हैं। प्रश्न: {} अंतिम उत्तर देने से पहले हर कदम को विस्तार से समझाइए।",
}


@pytest.mark.parametrize("language", TEMPLATES)
@given(slots=st.tuples(TEXTS, TEXTS))
def test_a_template_is_known_again_whatever_fills_it(language: str, slots: tuple[str, str]) -> None:
    form = TEMPLATES[language]
    assert keys_of(form.format(slots[0])) & keys_of(form.format(slots[1]))


@pytest.mark.parametrize("language", TEMPLATES)
@given(noise=st.lists(WORDS, min_size=1, max_size=12))
def test_a_template_is_known_again_behind_another_opening(language: str, noise: list[str]) -> None:
    prompt = TEMPLATES[language].format("x")
    assert keys_of(prompt) & keys_of(f"{' '.join(noise)}. {prompt}")


@pytest.mark.parametrize("extra", ["", "字", "文字", "三文字"])
def test_text_without_spaces_is_cut_alike_whatever_stands_before(extra: str) -> None:
    long = TEMPLATES["chinese"].format("x")
    assert keys_of(long) & keys_of(extra + long)


def test_ordinary_prompts_share_nothing() -> None:
    rng = np.random.default_rng(1)
    vocabulary = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(2_000)]
    sets = [keys_of(" ".join(rng.choice(vocabulary, 60))) for _ in range(200)]
    assert len(frozenset().union(*sets)) == sum(len(keys) for keys in sets)
    assert 3 < np.mean([len(keys) for keys in sets]) < 8


def test_the_middle_of_a_very_long_text_is_content_and_not_template() -> None:
    rng = np.random.default_rng(1)
    vocabulary = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(2_000)]
    head, tail = " ".join(rng.choice(vocabulary, 900)), " ".join(rng.choice(vocabulary, 90))
    assert len(head) > HEAD_BYTES
    assert len(tail) > TAIL_BYTES
    one, other, short = fingerprints(f"{head} alpha {tail}", f"{head} omega {tail}", f"{head} {tail}")
    assert one[1] == other[1] == short[1]
    assert len({one[0], other[0], short[0]}) == 3


@pytest.mark.parametrize("letter", ["漢", "я", "ก", "क", "x "])
@pytest.mark.parametrize("shift", range(4))
def test_the_end_of_a_very_long_text_counts_in_every_script(letter: str, shift: int) -> None:
    long = "x" * shift + letter * HEAD_BYTES
    assert content_of(long) != content_of(long[:-1] + "z")
    assert content_of(long[:4_000] + "z" + long[4_000:]) != content_of(long)


@given(st.lists(st.none() | TEXTS, max_size=8))
def test_values_are_hashed_exactly(values: list[str | None]) -> None:
    hashes = kernel.hash_values(*text_buffers(pa.array(values, pa.string()))).tolist()
    for value, hashed in zip(values, hashes, strict=True):
        assert (hashed == 0) == (value is None)
        assert hashed >= 0
    known = dict(zip(values, hashes, strict=True))
    assert len(set(known.values())) == len(known)


def test_hashes_are_the_same_on_every_machine() -> None:
    content, keys, size = fingerprints("The quick brown fox jumps over the lazy dog, 42 times.")[0]
    assert (content, min(keys), size) == GOLDEN_HASHES


GOLDEN_HASHES = (4014336676043238494, 252990460513713091, 11)


@given(st.text(st.characters(max_codepoint=0x7F), max_size=400))
@example("\n\n one two\n\n\nthree 4four\n5 six\n\n seven\neight\n")
@example("\n" * 9)
def test_plain_ascii_is_cut_as_any_other_text(text: str) -> None:
    data = np.frombuffer(text.encode(), np.uint8)
    found = []
    for cut in (tokens.tokenize, _tokenize_ascii):
        hashes, lines = np.zeros(len(data) + 2, np.uint64), np.zeros(4, np.int64)
        count, line_count, content = cut(data, 0, len(data), hashes, lines)
        starts = lines[: min(line_count, len(lines))].tolist()
        found.append((hashes[:count].tolist(), starts, int(content)))
    assert found[0] == found[1]


def _tokenize_ascii(data: Any, start: int, end: int, hashes: Any, lines: Any) -> tuple[int, int, Any]:
    masked = np.zeros(len(hashes), np.bool_)
    return ascii_tokens.tokenize_ascii(data, start, end, hashes, masked, lines)
