"""Google Resource Manager v3: projects and folders, and who was given which role on them."""
