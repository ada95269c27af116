from actions.mark_stable import main
from pipelines.runtime import run

raise SystemExit(run(main))
