"""The delivery engine: from a change to production, proved there, and back when it is bad."""
