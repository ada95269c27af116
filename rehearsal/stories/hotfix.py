"""A fix for what is live, while main has moved on: from a maintenance line, by the same staging, approval and checks."""

from __future__ import annotations

from rehearsal.stories import proof
from rehearsal.stories.routine import Routine


def tell(at: Routine) -> None:
    dev = at.person("dev-1")
    live = at.public_release("production")["web"]
    major, minor, patch = (int(part) for part in live.removeprefix("v").split("."))
    line, version = f"release/{major}.{minor}.x", f"v{major}.{minor}.{patch + 1}"
    dev.types("git fetch -q --tags origin")
    main = dev.git("rev-parse", "origin/main").out
    dev.types(f"git switch -q -c {line} {live}")
    dev.writes("apps/web/public/robots.txt", "User-agent: *\nDisallow: /\n")
    dev.git("add", "-A")
    dev.types('git commit -q -m "fix: keep robots out of everything"')
    dev.types(f"git push -q origin {line}")
    sha = dev.git("rev-parse", "HEAD").out.strip()
    at.must_end(at.run_of(sha, "ci.yml", "push"), "success")
    at.must_end(at.run_of(sha, "deploy-staging.yml", "push"), "success")
    at.tag(dev, version)
    at.release_reaches_production(version)
    with at.diary.during("proof", f"{version} is live and the latest release; main is where it was"):
        both = {"backend": version, "web": version}
        proof.that(at.public_release("production") == both, "both answer with it", at.public_release("production"))
        latest = at.observer.api("GET", "releases/latest")["tag_name"]
        proof.that(latest == version, "the GitHub release is the latest", latest)
        dev.git("fetch", "-q", "origin")
        proof.that(dev.git("rev-parse", "origin/main").out == main, "nothing was pushed to main")
