"""The example of a cluster is one that Cloud Run takes, and its workers are those of our locustfile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rehearsal.contracts.contract import load

ROOT = Path(__file__).parents[2]
JOB: dict[str, Any] = json.loads((ROOT / "examples" / "load-cluster" / "workers.json").read_text())
PARENT = "/v2/projects/p/locations/europe-west1"


def refused(job: dict[str, Any]) -> list[str]:
    operation = load("run").operation("POST", f"{PARENT}/jobs")
    assert operation is not None
    return operation.check_request({"jobId": ["load-workers"]}, job)


def test_cloud_run_takes_it() -> None:
    assert refused(JOB) == []
    assert refused({**JOB, "template": {**JOB["template"], "taskCount": "four"}})
    assert refused({**JOB, "workers": 4})


def test_it_begins_the_workers_of_our_locustfile_all_at_once_and_none_again() -> None:
    tasks = JOB["template"]["template"]
    (container,) = tasks["containers"]
    assert (ROOT / container["args"][1]).is_file()
    assert "--worker" in container["args"]
    assert [variable["name"] for variable in container["env"]] == ["SHIPMATE_LOAD_PLAN"]
    assert '"SHIPMATE_LOAD_PLAN"' in (ROOT / "loadtests" / "locustfile.py").read_text()
    assert JOB["template"]["parallelism"] == JOB["template"]["taskCount"]
    # A worker begun again would play a shard that another has.
    assert tasks["maxRetries"] == 0
    (mount,), (volume,) = container["volumeMounts"], tasks["volumes"]
    plan = f"{mount['mountPath']}/{volume['secret']['items'][0]['path']}"
    assert container["env"][0]["value"] == plan
