from actions.promote_apps import main
from pipelines.runtime import run

raise SystemExit(run(main))
