from actions.build_component import main
from pipelines.runtime import run

raise SystemExit(run(main))
