"""Webhook events: their payloads, and their delivery to the runner."""
