"""What a change must pass: what changed (changes), what that affects (affected), which checks run (matrix), each of them (check)."""
