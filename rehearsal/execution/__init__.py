"""Run stories, each in a world of its own: progress, screenshots, kept worlds, and the report at the end."""
