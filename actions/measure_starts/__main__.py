from actions.measure_starts import main
from pipelines.runtime import run

raise SystemExit(run(main))
