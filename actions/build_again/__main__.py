from actions.build_again import main
from pipelines.runtime import run

raise SystemExit(run(main))
