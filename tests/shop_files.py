"""What is in the repository of the platform that `tests.shop` sets up."""

from __future__ import annotations

from tests.rehearsal.github.scene import CI, DEPLOY

REGISTRY = "europe-west1-docker.pkg.dev"
_TARGETS = """
    backend:
      provider: cloud-run
      project: techmate-{environment}
      region: europe-west1
      service: api
      url: https://api{dash}.techmate.ai
      service_account: api@techmate-{environment}.iam.gserviceaccount.com
      shift: {shift}
      watch_seconds: 0
    web:
      provider: vercel
      team: techmate
      project: techmate-web
      url: https://{www}techmate.ai
    smoke:
      - {{name: the version deployed answers, component: backend, path: /version, json: {{release: "{{release}}"}}}}
      - {{name: alive, component: backend, path: /health, contains: ["{{release}}"]}}
      - {{name: the page is this release, component: web, path: /version, json: {{release: "{{release}}"}}}}
"""
MANIFEST = (
    """platform: {name: techmate, repository: techmate/platform}
components:
  backend:
    paths: [apps/backend/**]
    image:
      repository: REGISTRY/techmate-delivery/platform/backend
      base: docker.io/library/python:3.11@sha256:1111111111111111111111111111111111111111111111111111111111111111
      requirements: apps/backend/requirements.txt
      sources: [apps/backend]
      command: [python]
  web:
    paths: [apps/web/**]
    build: {run: ["true"], output: apps/web/dist, repository: REGISTRY/techmate-delivery/platform/web}
ci:
  checks: {lint: {run: ["true"], components: [backend]}}
environments:
  staging:
    branch: main""".replace("REGISTRY", REGISTRY)
    + _TARGETS.format(environment="staging", dash="-staging", www="staging.", shift="[100]")
    + """  production:
    github_environment: production-deploy
    proved_by: staging
    approval:
      environment: production-approval
      break_glass_environment: production-break-glass
      by: [release-manager, on-call]
      expires_minutes: 60
      break_glass: [on-call]"""
    + _TARGETS.format(environment="production", dash="", www="", shift="[10, 100]")
    + """alerts:
  slack_channel: "#deployments"
  when: [deployment-failed, rolled-back, break-glass, released]
"""
)
FILES = {
    "shipmate.yml": MANIFEST,
    ".github/workflows/ci.yml": CI,
    ".github/workflows/deploy-production.yml": DEPLOY,
    ".github/workflows/deploy-staging.yml": DEPLOY.replace("Production", "Staging"),
    "apps/backend/app.py": "print('hello')\n",
    "apps/web/dist/index.html": "<div id=root></div>",
}
