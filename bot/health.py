"""Is it alive, is it ready, what does it count: for supervisors and the operator, never for all."""

import hmac

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.metrics import DEAD_LETTERS, WAITING
from storage.database import Database
from storage.errors import StorageError
from storage.schema import inbox, outbox

LOOPBACK = ("127.0.0.1", "::1")


def routes(database: Database, metrics_token: str) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics` (loopback or token only)."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        try:
            await database.read(lambda c: c.execute(select(1)).scalar_one())
        except StorageError:
            return PlainTextResponse("the database does not answer", status_code=503)
        return PlainTextResponse("ready")

    async def metrics(request: Request) -> Response:
        if not _may_count(request, metrics_token):
            return PlainTextResponse("not found", status_code=404)
        waiting, dead = await database.read(
            lambda c: (
                c.execute(
                    select(func.count()).select_from(inbox).where(inbox.c.status == "waiting")
                ).scalar_one(),
                c.execute(
                    select(func.count()).select_from(outbox).where(outbox.c.state == "dead")
                ).scalar_one(),
            )
        )
        WAITING.set(waiting)
        DEAD_LETTERS.set(dead)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _may_count(request: Request, token: str) -> bool:
    """A request with the token, or from this machine without a proxy in between."""
    told = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(told.encode(), token.encode()):
        return True
    proxied = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
    return request.client is not None and request.client.host in LOOPBACK and not proxied
