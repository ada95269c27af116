from actions.start_builds import main
from pipelines.runtime import run

raise SystemExit(run(main))
