"""The keys, sealing with them, and what is sealed as a whole: stores, copies, backups."""
