"""What is done: settings, content library, channels, the turn, delivery, clock, care, dashboard."""
