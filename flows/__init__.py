"""What is said: questionnaires, routing, the engine, replies; pure, no I/O, no clock."""
