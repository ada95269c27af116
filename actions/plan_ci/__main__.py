from actions.plan_ci import main
from pipelines.runtime import run

raise SystemExit(run(main))
