"""What the metrics page counts. Labels are names of ours, never anything a person sent."""

from prometheus_client import Counter, Gauge, Histogram

TURNS = Counter("cwb_turns_total", "Inbound messages handled and committed.")
TURN_FAILURES = Counter("cwb_turn_failures_total", "Batches taken apart because a turn raised.")
BATCH_SIZE = Histogram(
    "cwb_batch_letters", "Messages a commit carried.", buckets=(0, 1, 2, 4, 8, 16, 32, 64, 128)
)
WEBHOOKS = Counter("cwb_webhooks_total", "Provider requests by what became of them.", ["result"])
CALLS = Counter(
    "cwb_calls_total",
    "Calls that were turned away: stored, from a withheld number, or lost (no database).",
    ["result"],
)
SENDS = Counter(
    "cwb_sends_total", "Messages handed over, by channel and result.", ["channel", "result"]
)
TICK_FAILURES = Counter("cwb_tick_failures_total", "Ticks of the clock that raised.", ["tick"])
WAITING = Gauge("cwb_waiting_letters", "Stored messages whose handling raised, to be tried again.")
DEAD_LETTERS = Gauge("cwb_dead_letters", "Messages given up and waiting for a person.")
REDACTIONS = Counter(
    "cwb_redactions_total", "Stored messages taken away at the provider, by result.", ["result"]
)
INVITATIONS_HELD = Gauge(
    "cwb_invitations_held", "Invitations that wait until the launch gate opens (doctor --live)."
)
