from actions.deploy_web import main
from pipelines.runtime import run

raise SystemExit(run(main))
