"""Accounts: users, apps and bots, their tokens and roles, collaborators, signing in."""
