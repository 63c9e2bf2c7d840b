"""What people may ask about their data: see it, correct it, have it erased."""
