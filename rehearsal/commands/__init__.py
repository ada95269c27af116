"""`shipmate up` and `shipmate rehearse`; the suite's command line hands over to these."""
