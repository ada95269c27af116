from actions.measure_pages import main
from pipelines.runtime import run

raise SystemExit(run(main))
