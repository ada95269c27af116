"""The apps of the stores: one way from a tag to testers and users, declared in pipeline.py."""
