"""What a page is, what the dashboard is given, and one visit to a page."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from jinja2 import Environment
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.access import Access, SignedIn
from bot.dashboard.guard import CookieKind, cookie_name, form_token
from bot.dashboard.policy import Policy, Rule
from bot.dashboard.words import WORDS, known, say
from storage import audit, scope
from storage.database import Database
from storage.ids import new_id
from storage.scope import Scope
from storage.vault import Vault


def as_coded(item: str, answer: str) -> tuple[str, str]:
    """Question and answer in words where nobody knows them: their codes, made readable."""
    return item.rpartition("/")[2].replace("_", " "), answer.replace("_", " ")


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
    """

    database: Database
    vault: Vault
    secret_key: bytes
    now: Callable[[], datetime]
    public_base_url: str
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Africa/Johannesburg"))
    describe: Callable[[str, str], tuple[str, str]] = as_coded
    help_phone: str = ""
    demo: bool = False
    hasher: PasswordHasher | None = None

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
        links: Pages of the menu she may open: (path, word key).
        seed: What form tokens of this browser hang on.
        now: Time of the request.
    """

    request: Request
    deps: Deps
    access: Access
    policy: Policy
    templates: Environment
    form: Mapping[str, str]
    signed_in: SignedIn | None
    rule: Rule
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
        schools = self.user.user.schools if self.rule.bounds == "school" else frozenset[str]()
        return scope.user(self.user.user.id, schools, purpose="care")

    def with_seed(self, seed: str) -> "Visit":
        """The same visit, for a browser that is given its form cookie with this answer."""
        return replace(self, seed=seed)

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        """An HTML answer from a template of this folder."""
        return HTMLResponse(self.html(template, **context), status_code=status)

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
            }
            | context
        )

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

        def noted(conn: Connection) -> None:
            entry = audit.row(
                self.scope,
                verb,
                kind,
                object_id,
                id=new_id(self.now),
                at=self.now,
                school_id=school_id,
            )
            audit.record(conn, [entry])

        await self.deps.database.write(noted)

    def cookie(self, answer: Response, kind: CookieKind, value: str) -> None:
        """Give the browser the session's cookie or the form's, for as long as it is open."""
        https = self.deps.https
        name = cookie_name(kind, https=https)
        answer.set_cookie(name, value, path="/", secure=https, httponly=True, samesite="lax")


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
