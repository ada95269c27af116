from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from backend.logs import Log, configure_logging, log_context


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_object_a_line_with_the_four_fields(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    Log("unit").info("first\nsecond", size=3)
    (line,) = lines(stream)
    assert list(line) == ["timestamp", "level", "message", "context"]
    assert (line["level"], line["message"]) == ("info", "first\nsecond")
    assert line["context"] == {"logger": "unit", "size": 3}


def test_levels_by_name_least_important_last(stream: io.StringIO) -> None:
    configure_logging("verbose", stream)
    log = Log("unit")
    log.error("e")
    log.warn("w")
    log.info("i")
    log.debug("d")
    log.verbose("v")
    assert [line["level"] for line in lines(stream)] == ["error", "warn", "info", "debug", "verbose"]


@pytest.mark.parametrize(("level", "written"), [("error", 1), ("warn", 2), ("info", 3), ("debug", 4), ("verbose", 5)])
def test_what_is_below_the_level_is_left_out(stream: io.StringIO, level: str, written: int) -> None:
    configure_logging(level, stream)
    log = Log("unit")
    for write in (log.error, log.warn, log.info, log.debug, log.verbose):
        write("line")
    assert len(lines(stream)) == written


def test_context_of_the_block_is_on_every_line_in_it(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    with log_context(request_id="1"), log_context(note="2"):
        logging.getLogger("library").warning("inside %s", "too")
    Log("unit").info("outside")
    inside, outside = lines(stream)
    assert inside["message"] == "inside too"
    assert inside["context"] == {"logger": "library", "request_id": "1", "note": "2"}
    assert outside["context"] == {"logger": "unit"}


def test_an_error_brings_type_text_and_stack(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    try:
        raise ValueError("it broke")
    except ValueError as error:
        Log("unit").error("failed", error=error)
    context = lines(stream)[0]["context"]
    assert isinstance(context, dict)
    assert (context["error"]["type"], context["error"]["message"]) == ("ValueError", "it broke")
    assert "test_logs.py" in context["error"]["stack"]


def test_a_faulty_format_string_of_a_library_costs_no_line(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    logging.getLogger("library").warning("%d apples", "no number")
    assert lines(stream)[0]["message"] == "%d apples"


def test_a_circular_context_ends(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    circle: dict[str, object] = {}
    circle["again"] = circle
    Log("unit").info("round", circle=circle)
    assert lines(stream)[0]["message"] == "round"
