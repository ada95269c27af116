"""Migrations of a database: files.py reads them, rules.py and squawk.py judge them, trial.py tries them on rows, runner.py applies them.

For an environment: planned.py when a release is planned, due.py when it is delivered; there or, as by_job.py has it, in a job beside the
database (job.py, by its order.py). applying.py is common to both: try all that is due, then apply it.
"""
