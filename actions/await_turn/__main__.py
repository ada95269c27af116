from actions.await_turn import main
from pipelines.runtime import run

raise SystemExit(run(main))
