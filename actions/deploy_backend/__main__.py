from actions.deploy_backend import main
from pipelines.runtime import run

raise SystemExit(run(main))
