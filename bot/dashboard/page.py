"""What a page is, what the dashboard is given, and one visit to a page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from jinja2 import Environment
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.dashboard.guard import CookieKind, cookie_name, form_token
from bot.dashboard.words import WORDS, known, say
from bot.launch import Item
from bot.login.access import Access, Ask, SignedIn
from bot.login.enrolling import Enrolment
from bot.login.lifetimes import ends_soon, last_day
from bot.login.proofs import new_token
from bot.policy import Place, Policy, Rule, Thing, Who, may, scope_of
from bot.turns.world import World
from storage.database import Database
from storage.ids import new_id
from storage.keyring.vault import Vault
from storage.scope import Scope
from storage.trail import audit
from storage.trail.audit import AuditRow
from storage.trail.glass import Opening

DAY = "%A %d %B %Y"


def as_coded(item: str, answer: str) -> tuple[str, str]:
    """Question and answer in words where nobody knows them: their codes, made readable."""
    return item.rpartition("/")[2].replace("_", " "), answer.replace("_", " ")


def _open(_conn: Connection, _now: datetime) -> Sequence[Item]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the dashboard stands on.

    Attributes:
        database: Everything kept.
        vault: Opens profiles, names and reasons.
        secret_key: Signs the tokens of forms.
        now: The clock (aware, UTC).
        public_base_url: Where browsers reach us; https there makes cookies and headers strict.
        timezone: In which zone pages show times.
        describe: Question and answer in English words, from `form/item` and the code given.
        help_phone: Whom staff ring when the dashboard puzzles them; shown on every page.
        demo: Whether pages say that nothing here is real.
        hasher: How passwords are hashed; None for the strong default.
        ask: Asks somebody by chat whether a sign-in is hers; None where there is no chat.
        world: What requests about data need: languages, the site's days. Without it they are only
            listed.
        exports: The folder of sealed files made for one reader.
        gate: What the launch still lacks; nothing where families may be invited.
        tell_glass: Queues the word to supervisors that a school was opened; part of that
            transaction.
    """

    database: Database
    vault: Vault
    secret_key: bytes
    now: Callable[[], datetime]
    public_base_url: str
    tell_glass: Callable[[Connection, Opening, datetime], object]
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Africa/Johannesburg"))
    describe: Callable[[str, str], tuple[str, str]] = as_coded
    help_phone: str = ""
    demo: bool = False
    hasher: PasswordHasher | None = None
    world: World | None = None
    exports: Path = Path("data/exports")
    ask: Ask | None = None
    gate: Callable[[Connection, datetime], Sequence[Item]] = _open

    @property
    def https(self) -> bool:
        """Whether browsers reach us over https."""
        return self.public_base_url.startswith("https:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to one page, after the policy let it in.

    Attributes:
        request: As Starlette has it.
        form: The fields of a POST, one value each.
        signed_in: Who it is; None on pages for anyone.
        rule: The policy's rule that let her in.
        who: What the policy knows of her.
        openings: The schools of others that she has broken the glass of, and until when.
        links: Pages of the menu she may open: (path, word key).
        seed: What form tokens of this browser hang on.
        now: Time of the request.
    """

    request: Request
    deps: Deps
    access: Access
    enrolment: Enrolment
    policy: Policy
    templates: Environment
    form: Mapping[str, str]
    signed_in: SignedIn | None
    rule: Rule
    who: Who
    openings: tuple[Opening, ...]
    links: tuple[tuple[str, str], ...]
    seed: str
    now: datetime

    @property
    def user(self) -> SignedIn:
        """Who is signed in. Raises LookupError on a page for anyone."""
        if self.signed_in is None:
            raise LookupError("nobody is signed in")
        return self.signed_in

    @property
    def scope(self) -> Scope:
        """The bounds of what this visit may read, as the policy's rule says."""
        return scope_of(self.rule, self.who, user_id=self.user.user.id)

    @property
    def client(self) -> str:
        """What failed tries of this browser are counted by: its IP address."""
        return self.request.client.host if self.request.client else ""

    def stepped_up(self, now: datetime) -> bool:
        """Whether she proved herself again in this session within the last five minutes.

        Export, erasing, breaking the glass and changing a role ask this first; where it is False,
        they answer with `prove_again`.
        """
        return self.signed_in is not None and self.signed_in.stepped_up(now)

    def prove_again(self, path: str) -> Response:
        """Ask for password and code once more, then go on to `path`, a page of the dashboard."""
        return self.see(f"/dashboard/step?next={quote(path)}")

    def may_export(self, name: str, school_id: str | None) -> bool:
        """Whether the policy lets her have a file of this kind, asked when it is handed out."""
        thing = None if school_id is None else Thing(school_id=school_id)
        place = Place(section="exports", name=name, thing=thing)
        return may(self.policy, self.who, "download", place) == "allow"

    def with_seed(self, seed: str) -> "Visit":
        """The same visit, for a browser that is given its form cookie with this answer."""
        return replace(self, seed=seed)

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        """An HTML answer from a template of this folder."""
        return HTMLResponse(self.html(template, **context), status_code=status)

    def form_for_anyone(self, template: str, *, status: int = 200, **context: object) -> Response:
        """A page with a form before anybody is signed in: its token hangs on its own cookie."""
        if self.signed_in is not None:
            return self.page(template, status=status, **context)
        seed = self.seed or new_token()
        answer = self.with_seed(seed).page(template, status=status, **context)
        self.cookie(answer, "form", seed)
        return answer

    def html(self, template: str, **context: object) -> str:
        """A template of this folder with what all pages need."""
        deps = self.deps
        return self.templates.get_template(template).render(
            {
                "t": say,
                "known": known,
                "links": self.links,
                "path": self.request.url.path,
                "signed_in": self.signed_in,
                "token": form_token(deps.secret_key, self.seed) if self.seed else "",
                "now": self.now.astimezone(deps.timezone),
                "local": lambda moment: moment.astimezone(deps.timezone),
                "help_phone": deps.help_phone,
                "demo": deps.demo,
                "openings": self.openings,
                "last_day": self._last_day(),
            }
            | context
        )

    def _last_day(self) -> str:
        """The last day of her own account, once it is near; else empty."""
        ends_at = self.signed_in.user.ends_at if self.signed_in else None
        if ends_at is None or not ends_soon(ends_at, now=self.now):
            return ""
        return f"{last_day(ends_at, self.deps.timezone):{DAY}}"

    def see(self, path: str) -> Response:
        """Go on to another page with GET."""
        return RedirectResponse(path, status_code=303)

    def fault(self, status: int, kind: str) -> Response:
        """A page that says what went wrong and what to do; `kind` names its words."""
        return self.page(
            "fault.html",
            status=status,
            title=WORDS[f"fault.{kind}.title"],
            text=WORDS[f"fault.{kind}.text"],
        )

    async def note(
        self, verb: str, kind: str, object_id: str | None, school_id: str | None
    ) -> None:
        """Write down that she did `verb` to an object, before she sees it."""
        entries = self.entries(verb, kind, object_id, school_id)
        await self.deps.database.write(lambda conn: audit.record(conn, entries))

    def entries(
        self, verb: str, kind: str, object_id: str | None = None, school_id: str | None = None
    ) -> list[AuditRow]:
        """The audit rows that she did `verb` to an object.

        A list (no object, no school) that reaches into schools she broke open has a row for each.
        """
        schools = [school_id]
        if object_id is None and school_id is None:
            schools += sorted(self.scope.opened)
        return [
            audit.row(
                self.scope,
                verb,
                kind,
                object_id,
                id=new_id(self.now),
                at=self.now,
                school_id=school,
            )
            for school in schools
        ]

    def cookie(self, answer: Response, kind: CookieKind, value: str) -> None:
        """Give the browser a cookie, for as long as it is open."""
        https = self.deps.https
        name = cookie_name(kind, https=https)
        answer.set_cookie(name, value, path="/", secure=https, httponly=True, samesite="lax")

    def cookie_of(self, kind: CookieKind) -> str:
        """What the browser keeps of this kind; empty for nothing."""
        return self.request.cookies.get(cookie_name(kind, https=self.deps.https), "")

    def forget(self, answer: Response, kind: CookieKind) -> None:
        """Take a cookie away again."""
        https = self.deps.https
        name = cookie_name(kind, https=https)
        answer.delete_cookie(name, path="/", secure=https, httponly=True, samesite="lax")


View = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the dashboard, as a module of this folder declares it in `PAGE`.

    Attributes:
        path: Where it is; `{code}` for a part of the path.
        title: Key of its title in `words`.
        view: What GET does; the policy's verb is "view".
        actions: What POST to `path/verb` does, by the policy's verb.
        menu: Place in the menu, None for a page that is not in it.
    """

    path: str
    title: str
    view: View
    actions: Mapping[str, View] = field(default_factory=dict)
    menu: int | None = None
