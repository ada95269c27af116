"""Work in two processes: the same texts in the same order, and a child's failure is reported as if it had happened here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import pytest

from release.changelog.parallel import WORTH_IT, in_two_processes


def words(numbers: Sequence[int]) -> Iterable[str]:
    for number in numbers:
        yield f"{number} ünï\n"


@pytest.mark.parametrize("count", [0, 1, 7, WORTH_IT, WORTH_IT + 1, 3 * WORTH_IT])
def test_same_texts_in_order(count: int) -> None:
    assert "".join(in_two_processes(range(count), words)) == "".join(words(range(count)))


def test_long__is_written_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    makers = set("".join(in_two_processes(range(WORTH_IT), lambda some: [f"{os.getpid()}\n" for _ in some])).split())
    assert len(makers) == 2
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert (
        len(set("".join(in_two_processes(range(WORTH_IT), lambda some: [f"{os.getpid()}\n" for _ in some])).split()))
        == 1
    )


def test_failure_in_the_second_half__is_raised_here() -> None:
    def write(numbers: Sequence[int]) -> Iterable[str]:
        for number in numbers:
            if number == WORTH_IT - 1:
                raise ValueError("the last one")
            yield str(number)

    with pytest.raises(ValueError, match="the last one"):
        list(in_two_processes(range(WORTH_IT), write))


def test_failure_in_the_first_half__leaves_no_child() -> None:
    def write(numbers: Sequence[int]) -> Iterable[str]:
        if numbers[0] == 0:
            raise ValueError("the first one")
        yield "x"

    with pytest.raises(ValueError, match="the first one"):
        list(in_two_processes(range(WORTH_IT), write))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_child_that_is_killed__its_half_is_written_here() -> None:
    here = os.getpid()

    def write(numbers: Sequence[int]) -> Iterable[str]:
        if os.getpid() != here:
            os._exit(9)
        return words(numbers)

    assert "".join(in_two_processes(range(WORTH_IT), write)) == "".join(words(range(WORTH_IT)))
