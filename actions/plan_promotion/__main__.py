from actions.plan_promotion import main
from pipelines.runtime import run

raise SystemExit(run(main))
