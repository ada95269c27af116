from actions.link_artifact import main
from pipelines.runtime import run

raise SystemExit(run(main))
