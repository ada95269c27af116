from actions.load_test import main
from pipelines.runtime import run

raise SystemExit(run(main))
