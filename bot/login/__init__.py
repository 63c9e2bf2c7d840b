"""Getting in: accounts, passwords, codes, sessions, brakes."""
