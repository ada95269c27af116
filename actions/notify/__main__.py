from actions.notify import main
from pipelines.runtime import run

raise SystemExit(run(main))
