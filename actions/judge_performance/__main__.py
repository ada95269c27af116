from actions.judge_performance import main
from pipelines.runtime import run

raise SystemExit(run(main))
