"""The TechMate API: stores notes, finds them by meaning, and works a queue over them."""
