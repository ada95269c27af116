"""Names of this platform's workflows, their jobs and environments, in one place for every story."""

from __future__ import annotations

CI, STAGING, PRODUCTION, ROLL_BACK = "ci.yml", "deploy-staging.yml", "deploy-production.yml", "rollback.yml"
PERFORMANCE, BROWSER_TESTS = "performance.yml", "browser-tests.yml"
"""Files of the workflows."""
STAGING_NAME, PRODUCTION_NAME = "Deploy to Staging", "Deploy to Production"
"""Names of the workflows that prove a commit and that bring a release to production."""

APPS, PROMOTE_APPS = "mobile-release.yml", "mobile-promote.yml"
"""Files of the workflows that bring the apps to their testers, and from there to everybody."""
APPS_NAME, PROMOTE_APPS_NAME = "Mobile Release", "Promote Apps"
"""Names of the two."""
VERIFY, START_BUILDS = "Verify", "Start the builds"
DELIVER = {"android": "Deliver android", "ios": "Deliver ios"}
"""Jobs of the first."""

APPROVAL_ENVIRONMENT = "production-approval"
"""Whose reviewers approve a production run."""

PLAN = "Plan"
DEPLOY = "Deploy backend"
GO_LIVE = "Go live"
PUBLISH = "Create GitHub release"
ROLL_BACK_JOB = "Roll back"
"""Jobs of the production run."""
PREPARING_STEPS = ("Set up", "Check out")
"""How the steps before a job's own work begin."""

BACKEND_CHECK = ("Backend tests", "backend-tests")
"""A check of CI: how its job's name begins, and what the manifest calls it."""
