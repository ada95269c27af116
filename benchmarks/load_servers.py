"""Servers whose response times are known: what a load test records of them, and what it ought to say."""
