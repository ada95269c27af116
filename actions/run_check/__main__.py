from actions.run_check import main
from pipelines.runtime import run

raise SystemExit(run(main))
