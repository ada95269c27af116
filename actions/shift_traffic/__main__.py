from actions.shift_traffic import main
from pipelines.runtime import run

raise SystemExit(run(main))
