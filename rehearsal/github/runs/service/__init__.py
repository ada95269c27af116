"""Workflow runs: started, recorded, delivered as events, packed for download."""
