from actions.smoke_test import main
from pipelines.runtime import run

raise SystemExit(run(main))
