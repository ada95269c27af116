"""The front of the platform: one TLS port for Cloud Run domains, run.app URLs and Vercel hosts."""
