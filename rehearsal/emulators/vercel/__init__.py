"""Vercel: uploads, deployments, aliases, promotion and rollback, and the sites themselves."""
