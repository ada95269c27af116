"""The apps of the stores: from a tag to testers and users, over the air, and back."""
