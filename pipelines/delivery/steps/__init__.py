"""The steps of a delivery, one typed step a file: `plan` says from facts what will happen, `run` does it; base.py has what they share."""
