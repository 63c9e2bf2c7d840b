"""By when a request must be answered."""

from datetime import datetime, timedelta

from bot.site import Site


def due(received_at: datetime, site: Site) -> datetime:
    """The latest moment of an answer: so many calendar days after it came (`request_days`)."""
    return received_at + timedelta(days=site.request_days)
