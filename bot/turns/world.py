"""What a turn may know besides the database: content, the site's decisions, keys, addresses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.content.library import Library
from bot.launch import Gate, gate
from bot.policy import Policy, shipped
from bot.site import Site
from flows.calendar import Hours
from flows.messages import ChannelName
from storage.keyring.vault import Vault

RandomCode = Callable[[int], str]
NewId = Callable[[datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside the transaction that a turn uses; made once at start.

    Attributes:
        library: Questionnaires, languages, rules.
        site: The site's decisions.
        vault: Seals and blind indexes.
        zone: The programme's time zone.
        accounts: Our own account by channel.
        base_url: Where "sign in" leads.
        mark_drafts: Whether machine-drafted texts are shown, marked (demo and chat).
        new_id: Makes ids; an argument so that tests can seed it.
        new_code: Makes public codes.
        policy: Who may do what.
        gate: What must be on record before a family is invited and is not.
    """

    library: Library
    site: Site
    vault: Vault
    zone: ZoneInfo
    accounts: Mapping[ChannelName, str]
    base_url: str
    mark_drafts: bool
    new_id: NewId
    new_code: RandomCode
    policy: Policy = field(default_factory=shipped)
    gate: Gate = gate
    _hours: dict[int, Hours] = field(default_factory=dict)

    def hours(self, now: datetime) -> Hours:
        """The site's calendar around `now` (this year and the next)."""
        year = now.astimezone(self.zone).year
        if year not in self._hours:
            self._hours[year] = self.site.hours((year, year + 1))
        return self._hours[year]
