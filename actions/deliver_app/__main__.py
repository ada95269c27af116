from actions.deliver_app import main
from pipelines.runtime import run

raise SystemExit(run(main))
