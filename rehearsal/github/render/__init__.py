"""JSON as GitHub's REST API writes it: pure functions from state, complete by the provider's own description."""
