"""Put a release live and take it back: plan.py decides, steps.py carries out."""
