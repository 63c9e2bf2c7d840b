"""The people who help: their accounts, logins and standing."""
