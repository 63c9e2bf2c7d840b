"""What happens after the score: alerts, nudges, tasks."""
