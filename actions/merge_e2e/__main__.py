from actions.merge_e2e import main
from pipelines.runtime import run

raise SystemExit(run(main))
