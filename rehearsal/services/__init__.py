"""What the rehearsal runs beside the emulators: Postgres with pgvector, Redis, a browser. `python -m rehearsal.services` gets them."""
