"""Sentry: takes what its SDKs send, keeps it, and answers queries of errors and spans."""
