from actions.prepare_release import main
from pipelines.runtime import run

raise SystemExit(run(main))
