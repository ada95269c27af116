"""The drawing of a run's jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from rehearsal.github.runs.pages import graph
from rehearsal.runner.model import Job
from rehearsal.runner.workflow import Workflow, parse

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def job(key: str, *needs: str, name: str = "", number: int = 1) -> Job:
    return Job(id=number, run_id=1, attempt=1, key=key, name=name or key, needs=list(needs), created_at=NOW)


def workflow(text: str) -> Workflow:
    return parse(".github/workflows/x.yml", f"on: push\njobs:\n{text}")


STEPS = "runs-on: ubuntu-latest, steps: [{run: x}]"


def columns(drawing: graph.JobGraph) -> list[list[str]]:
    return [[box.node.name for box in column] for column in drawing.columns]


def test_each_job_stands_after_the_last_it_needs() -> None:
    jobs = [job("plan"), job("a", "plan"), job("b", "plan", "a"), job("end", "a", "b")]
    assert columns(graph.draw(graph.nodes(jobs, None))) == [["plan"], ["a"], ["b"], ["end"]]


def test_a_line_is_left_out_where_a_longer_way_says_the_same() -> None:
    jobs = [job("plan"), job("a", "plan"), job("b", "plan", "a")]
    assert len(graph.draw(graph.nodes(jobs, None)).lines) == 2


def test_jobs_to_come_are_drawn_from_the_file() -> None:
    text = (
        f"  plan: {{{STEPS}}}\n  build: {{name: Build it, needs: plan, {STEPS}}}\n"
        f"  test: {{name: 'Test ${{{{ matrix.x }}}}', needs: plan, {STEPS}}}\n"
    )
    found = graph.nodes([job("plan")], workflow(text))
    assert [(node.name, node.job is None) for node in found] == [("plan", False), ("Build it", True), ("test", True)]
    assert columns(graph.draw(found)) == [["plan"], ["Build it", "test"]]


def test_legs_of_a_matrix_share_a_column_and_are_joined_one_by_one() -> None:
    jobs = [job("a"), job("t", "a", name="t (1)"), job("t", "a", name="t (2)"), job("end", "t")]
    drawing = graph.draw(graph.nodes(jobs, None))
    assert columns(drawing) == [["a"], ["t (1)", "t (2)"], ["end"]]
    assert len(drawing.lines) == 4


def test_jobs_of_a_called_workflow_stand_after_what_the_caller_needs() -> None:
    text = f"  plan: {{{STEPS}}}\n  call: {{needs: plan, uses: ./.github/workflows/y.yml}}\n  end: {{needs: call, {STEPS}}}\n"
    jobs = [job("plan"), job("call/one"), job("call/two", "call/one")]
    found = graph.nodes(jobs, workflow(text))
    assert columns(graph.draw(found)) == [["plan"], ["call/one"], ["call/two"], ["end"]]


def test_nothing_is_drawn_of_nothing() -> None:
    drawing = graph.draw([])
    assert (drawing.width, drawing.height, drawing.boxes) == (0, 0, ())


def test_boxes_do_not_overlap_and_fit_the_plane() -> None:
    jobs = [job("a"), *(job(f"b{number}", "a") for number in range(9)), job("c", "b3")]
    drawing = graph.draw(graph.nodes(jobs, None))
    places = {(box.x, box.y) for box in drawing.boxes}
    assert len(places) == len(jobs)
    assert max(box.x for box in drawing.boxes) + graph.WIDTH == drawing.width
    assert max(box.y for box in drawing.boxes) + graph.HEIGHT == drawing.height


def test_a_long_chain_goes_on_in_the_next_band() -> None:
    jobs = [job("j0"), *(job(f"j{number}", f"j{number - 1}") for number in range(1, 9)), job("other", "j1")]
    drawing = graph.draw(graph.nodes(jobs, None))
    assert drawing.width == graph.MOST_COLUMNS * (graph.WIDTH + graph.BETWEEN) - graph.BETWEEN
    places = {box.node.key: (box.x, box.y) for box in drawing.boxes}
    assert places["j5"] == (0, 2 * graph.HEIGHT + graph.GAP + graph.BANDS)
    assert places["j6"][1] == places["j5"][1]
    around = [line for line in drawing.lines if "V" in line]
    assert len(around) == 1
    assert around[0].endswith(f"H{places['j5'][0]}")
