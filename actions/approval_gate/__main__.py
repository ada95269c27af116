from actions.approval_gate import main
from pipelines.runtime import run

raise SystemExit(run(main))
