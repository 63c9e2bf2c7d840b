"""The keys of a deployment, and its backups."""
