"""What GitHub tells the world when something happens, in the shape of its webhooks."""
