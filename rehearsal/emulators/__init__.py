"""One package per provider, each with app.py (the emulator), routes.py (HTTP) and state.py (behaviour)."""
