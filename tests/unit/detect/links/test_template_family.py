"""Template families: which shingles belong together, and what sharing a template is worth."""

from collections.abc import Callable

import numpy as np
import pytest

from stillwatch.detect.links.membership import alone_nats
from stillwatch.detect.links.template_family import TemplateFamilies, find_template_families
from stillwatch.detect.profiles.population import Population

Build = Callable[..., Population]
SIZE = 100
ALONE = 0.5 * np.log(SIZE)
FIRST, SECOND = np.array([0]), np.array([1])
PROMPT_KEYS, OTHER_KEYS, SYSTEM_KEYS = (10, 12, 14), (50, 52, 54), (21, 23)


def users(keys: tuple[int, ...], accounts: tuple[int, ...], contents: int = 5) -> list[tuple[int, int, int]]:
    """Let accounts use all shingles of a template with some different prompts."""
    return [(account, key, contents) for account in accounts for key in keys]


def families(population: Population) -> TemplateFamilies:
    """Find the families, which must be there."""
    found = find_template_families(population)
    assert found is not None
    return found


def test_shingles_of_one_template_are_one_piece_of_evidence(make_population: Build) -> None:
    found = families(make_population(SIZE, templates=users(PROMPT_KEYS, (0, 1))))
    assert len(found.holders) == 1
    assert found.shared(FIRST, SECOND, SIZE)[0].tolist() == pytest.approx([ALONE])


def test_two_templates_are_worth_twice_as_much(make_population: Build) -> None:
    rows = users(PROMPT_KEYS, (0, 1), 5) + users(OTHER_KEYS, (0, 1), 9)
    found = families(make_population(SIZE, templates=rows))
    assert len(found.holders) == 2
    assert found.shared(FIRST, SECOND, SIZE)[0].tolist() == pytest.approx([2 * ALONE])


def test_accounts_with_nothing_in_common_are_not_tied(make_population: Build) -> None:
    rows = users(PROMPT_KEYS, (0, 2)) + users(OTHER_KEYS, (1, 3), 9)
    assert families(make_population(SIZE, templates=rows)).shared(FIRST, SECOND, SIZE)[0].tolist() == [0.0]


def test_a_template_that_everybody_uses_is_worth_nothing(make_population: Build) -> None:
    found = families(make_population(SIZE, templates=users(PROMPT_KEYS, tuple(range(40)))))
    assert found.shared(FIRST, SECOND, SIZE)[0].tolist() == [0.0]


def test_system_instructions_never_count_as_prompts(make_population: Build) -> None:
    found = families(make_population(SIZE, templates=users(SYSTEM_KEYS, (0, 1))))
    assert found.shared(FIRST, SECOND, SIZE)[0][0] > 0
    assert found.prompt_nats(FIRST, SECOND, SIZE).tolist() == [0.0]


def test_system_instructions_and_prompts_that_go_together_stay_apart(make_population: Build) -> None:
    found = families(make_population(SIZE, templates=users((*PROMPT_KEYS, *SYSTEM_KEYS), (0, 1))))
    assert len(found.holders) == 2
    assert found.prompt_nats(FIRST, SECOND, SIZE).tolist() == pytest.approx([ALONE])


def test_one_prompt_of_a_template_is_weaker_than_three(make_population: Build) -> None:
    def shared(contents: int) -> float:
        rows = users(PROMPT_KEYS, (0, 1), contents)
        return float(families(make_population(SIZE, templates=rows)).shared(FIRST, SECOND, SIZE)[0][0])

    assert shared(1) == pytest.approx(ALONE * (np.log(2) / np.log(4)) ** 2)
    assert shared(3) == pytest.approx(ALONE)
    assert shared(9) == pytest.approx(ALONE)


def test_two_of_a_hundred_templates_in_common_are_worth_less_than_all_of_them(make_population: Build) -> None:
    own = [(place, 1_000 * (place + 1) + 2 * number, 40) for place in (0, 1) for number in range(100)]
    rows = users(PROMPT_KEYS, (0, 1), 5)
    totals = {"contents": [4_005, 4_005] + [10] * (SIZE - 2)}
    few = families(make_population(SIZE, templates=rows + own, totals=totals))
    all_ = families(make_population(SIZE, templates=rows))
    assert few.shared(FIRST, SECOND, SIZE)[0][0] < 0.2 * all_.shared(FIRST, SECOND, SIZE)[0][0]


def test_a_very_busy_account_uses_a_template_more_easily_by_chance(make_population: Build) -> None:
    rows = users(PROMPT_KEYS, (0, 1, 2, 3))
    quiet = families(make_population(SIZE, templates=rows))
    totals = {"contents": [80] + [10] * (SIZE - 1)}
    busy = families(make_population(SIZE, templates=rows, totals=totals))
    assert busy.surprise[0].max() < quiet.surprise[0].max()


def test_no_pair_is_worth_more_than_twice_the_prior_odds(make_population: Build) -> None:
    rows = [(place, 2 * number, number + 3) for place in (0, 1) for number in range(30)]
    found = families(make_population(SIZE, templates=rows))
    assert found.shared(FIRST, SECOND, SIZE)[0].tolist() == pytest.approx([4 * alone_nats(SIZE)])


def test_logs_without_prompts_have_no_families(make_population: Build) -> None:
    assert find_template_families(make_population(SIZE)) is None
