"""What all channels do with text: make it storable, and say buttons in words."""

from flows.messages import Outbound


def clean(text: str) -> str:
    """Drop what no database takes, keep every other character as it was sent.

    NUL goes (PostgreSQL refuses it); half surrogate pairs, which JSON may carry and UTF-8 cannot,
    become U+FFFD. Nothing else changes: understanding works on its own copy.
    """
    whole = text.replace("\0", "")
    if whole.isascii():
        return whole
    return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def as_text(message: Outbound) -> str:
    """The message without buttons: its text, then one numbered line a button.

    The person answers with the number, so nothing is lost where a channel shows no buttons.
    """
    lines = [f"{number} {button.title}" for number, button in enumerate(message.buttons, 1)]
    return "\n".join([message.text, *lines])
