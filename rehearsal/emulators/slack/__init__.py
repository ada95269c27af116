"""Slack: incoming webhooks, and the few Web API methods that post and read messages."""
