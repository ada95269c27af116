from actions.plan_staging import main
from pipelines.runtime import run

raise SystemExit(run(main))
