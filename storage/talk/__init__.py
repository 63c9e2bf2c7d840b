"""Conversations: what a turn reads and writes, consent, the outbox and what became of it."""
