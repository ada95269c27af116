from actions.build_image import main
from pipelines.runtime import run

raise SystemExit(run(main))
