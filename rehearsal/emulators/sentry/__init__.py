"""Sentry: takes what its SDKs send, keeps releases and deploys, and counts errors and sessions."""
