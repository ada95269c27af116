from actions.plan_load import main
from pipelines.runtime import run

raise SystemExit(run(main))
