"""Who lets a release pass: rules.py decides from facts, gate.py asks GitHub for them. The policy is the default branch's, now."""
