"""Who did or saw what: the audit and its chain, looks, breaking the glass."""
