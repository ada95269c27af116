"""Who may release what, when: rules.py decides, gate.py asks GitHub and writes the answer to the ledger."""
