"""What is done to pull requests: opened, reviewed, merged."""
