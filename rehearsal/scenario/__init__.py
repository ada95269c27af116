"""What scenarios are written with: a client of the world, its users, their steps, the event log and assertions."""
