from actions.setup import main
from pipelines.runtime import run

raise SystemExit(run(main))
