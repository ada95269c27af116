from actions.go_live import main
from pipelines.runtime import run

raise SystemExit(run(main))
