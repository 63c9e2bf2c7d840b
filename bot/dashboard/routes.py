"""The dashboard as routes: pages found by scanning, each behind the policy, each POST checked."""

import hashlib
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from jinja2 import Environment
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot import dashboard
from bot.dashboard.guard import SafeHeaders, cookie_name, from_our_pages, token_fits
from bot.dashboard.looks import FOLDER, templates
from bot.dashboard.page import Deps, Page, View, Visit
from bot.login.access import Access, SignedIn, strong_hasher
from bot.login.enrolling import Enrolment
from bot.policy import (
    NOBODY,
    Place,
    Policy,
    Rule,
    Who,
    check_policy,
    may,
    shipped,
)
from storage.families.programmes import school_ids
from storage.trail import glass
from storage.trail.glass import Opening

FORM_BYTES = 20_000
LOGIN = "/dashboard/login"
STATIC = "/static"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    """What all handlers share."""

    deps: Deps
    access: Access
    enrolment: Enrolment
    policy: Policy
    pages: Mapping[str, Page]
    templates: Environment


def routes(deps: Deps) -> list[Route]:
    """All routes of the dashboard, with static files.

    Args:
        deps: What it stands on.

    Returns:
        Routes for the app's own list; outside the demo "/" leads to the dashboard. `SafeHeaders`
        belongs around the app as well, so that an unknown path, too, gets the headers.

    Raises:
        PolicyError: A page is missing from policy.yaml, or the other way round.
    """
    pages = find_pages()
    policy = shipped()
    check_policy(policy, "pages", verbs_of(pages))
    check_policy(policy, "exports", ((name, "download") for name in find_exports()))
    hasher = deps.hasher or strong_hasher()
    access = Access(deps.database, deps.vault, deps.now, hasher, ask=deps.ask)
    house = _House(
        deps=deps,
        access=access,
        enrolment=Enrolment(deps.database, deps.vault, deps.now, access),
        policy=policy,
        pages=pages,
        templates=_templates(),
    )
    headers = [Middleware(SafeHeaders, https=deps.https)]
    made = [] if deps.demo else [Route("/", _front, middleware=headers)]
    for name, page in pages.items():
        made.append(Route(page.path, _page(house, name), name=name, middleware=headers))
        for verb in page.actions:
            path = f"{page.path}/{verb}"
            handler = _action(house, name, verb)
            made.append(Route(path, handler, methods=["GET", "POST"], middleware=headers))
    made.append(Route("/dashboard/{rest:path}", _nowhere(house), middleware=headers))
    return [*static_routes(https=deps.https), *made]


async def _front(request: Request) -> Response:  # noqa: ARG001 - Starlette hands it over
    """The site's front door: the demo has its phones there, a live site its dashboard."""
    return RedirectResponse("/dashboard", status_code=303)


def static_routes(*, https: bool) -> list[Route]:
    """The style sheets and the demo's script, read once. They hold no data and may be cached."""
    files = {p.name: p for p in (FOLDER / "static").iterdir() if p.suffix in KINDS}
    bodies = {name: (path.read_bytes(), KINDS[path.suffix]) for name, path in files.items()}

    async def serve(request: Request) -> Response:
        found = bodies.get(request.path_params["name"])
        if found is None:
            return Response("Not found", status_code=404, media_type="text/plain")
        body, kind = found
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "max-age=86400"})

    headers = [Middleware(SafeHeaders, https=https)]
    return [Route(f"{STATIC}/{{name}}", serve, name="static", middleware=headers)]


def static_url(name: str) -> str:
    """The address of a static file; it changes with the file's content."""
    mark = hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:8]
    return f"{STATIC}/{name}?v={mark}"


def find_pages() -> dict[str, Page]:
    """Every module of this folder that declares a `PAGE`, by module name."""
    found = {}
    for module in pkgutil.iter_modules(dashboard.__path__):
        page = getattr(importlib.import_module(f"bot.dashboard.{module.name}"), "PAGE", None)
        if isinstance(page, Page):
            found[module.name] = page
    return found


def find_exports() -> set[str]:
    """Every kind of file that a page hands out, as its module names them in `EXPORTS`."""
    modules = pkgutil.iter_modules(dashboard.__path__)
    found = (importlib.import_module(f"bot.dashboard.{module.name}") for module in modules)
    return {name for module in found for name in getattr(module, "EXPORTS", ())}


def verbs_of(pages: Mapping[str, Page]) -> list[tuple[str, str]]:
    """All (page, verb) pairs, static files included: what the policy must know."""
    pairs = [(name, verb) for name, page in pages.items() for verb in ("view", *page.actions)]
    return [*pairs, ("static", "view")]


def _templates() -> Environment:
    made = templates()
    made.globals["style"] = static_url("style.css")
    return made


def _page(house: _House, name: str) -> Handler:
    page, rule = house.pages[name], house.policy.rule("pages", name, "view")

    async def handle(request: Request) -> Response:
        visit = await _arrive(house, request, rule, {})
        return await _let_in(visit, page.view, "view", Place(section="pages", name=name))

    return handle


def _action(house: _House, name: str, verb: str) -> Handler:
    page, rule = house.pages[name], house.policy.rule("pages", name, verb)

    async def handle(request: Request) -> Response:
        if request.method != "POST":  # somebody reloads the address of an action
            return RedirectResponse(request.url.path.removesuffix(f"/{verb}"), status_code=303)
        form = await _form(request)
        visit = await _arrive(house, request, rule, form)
        if rule.roles is not None and visit.signed_in is None:
            return visit.see(LOGIN)
        ours = from_our_pages(request, house.deps.public_base_url)
        if not ours or not token_fits(house.deps.secret_key, visit.seed, form.get("token", "")):
            return visit.fault(403, "form")
        place = Place(section="pages", name=name)
        return await _let_in(visit, page.actions[verb], verb, place)

    return handle


def _nowhere(house: _House) -> Handler:
    anyone = Rule(roles=None, shows="nothing", own="hide", other="hide", erased="hide")

    async def handle(request: Request) -> Response:
        visit = await _arrive(house, request, anyone, {})
        return visit.fault(404, "missing")

    return handle


async def _let_in(visit: Visit, view: View, verb: str, place: Place) -> Response:
    """The page, if the policy lets her in; which things she finds there is her scope's business."""
    if may(visit.policy, visit.who, verb, place) == "allow":
        return await view(visit)
    if visit.signed_in is None:
        return visit.see(f"{LOGIN}?next={quote(visit.request.url.path)}")
    await visit.note("refused", f"{place.name}/{verb}", None, None)
    return visit.fault(403, "forbidden")


async def _arrive(house: _House, request: Request, rule: Rule, form: Mapping[str, str]) -> Visit:
    https = house.deps.https
    token = request.cookies.get(cookie_name("session", https=https), "")
    signed_in = await house.access.who(token)
    seed = request.cookies.get(cookie_name("form", https=https), "")
    who, openings = await _standing(house, signed_in)
    return Visit(
        request=request,
        deps=house.deps,
        access=house.access,
        enrolment=house.enrolment,
        policy=house.policy,
        templates=house.templates,
        form=form,
        signed_in=signed_in,
        rule=rule,
        who=who,
        openings=openings,
        links=_links(house, signed_in.user.role) if signed_in else (),
        seed=signed_in.digest if signed_in else seed,
        now=house.deps.now(),
    )


async def _standing(house: _House, signed_in: SignedIn | None) -> tuple[Who, tuple[Opening, ...]]:
    """Who she is to the policy: her role, the schools in its reach, those she has broken open."""
    if signed_in is None:
        return NOBODY, ()
    user, now = signed_in.user, house.deps.now()
    role = house.policy.roles[user.role]
    if role.reach == "all":
        schools = frozenset(await house.deps.database.read(school_ids))
        return Who(role=user.role, schools=schools), ()
    if role.reach == "none":
        return Who(role=user.role), ()
    openings = await house.deps.database.read(lambda conn: glass.running(conn, user.id, now))
    opened = frozenset(opening.school_id for opening in openings)
    return Who(role=user.role, schools=user.schools, opened=opened), openings


def _links(house: _House, role: str) -> tuple[tuple[str, str], ...]:
    """The menu of a role: pages it may view, in order of their place."""
    mine = [
        (page.menu, page.path, page.title)
        for name, page in house.pages.items()
        if page.menu is not None and house.policy.rule("pages", name, "view").allows(role)
    ]
    return tuple((path, title) for _, path, title in sorted(mine))


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a plain form with one value each; none where it is no form of ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    length = request.headers.get("content-length", "")
    if kind != "application/x-www-form-urlencoded" or not length.isdecimal():
        return {}
    if int(length) > FORM_BYTES:
        return {}
    async with request.form(max_fields=20) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}
