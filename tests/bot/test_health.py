"""Is it alive, is it ready, what does it count."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from bot.health import routes
from storage.database import Database

TOKEN = "zq9-token"  # noqa: S105 - it opens nothing


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    opened = Database.open(sqlite_url)
    yield opened
    await opened.close()


async def get(
    database: Database, path: str, *, client: str = "127.0.0.1", **headers: str
) -> httpx.Response:
    transport = httpx.ASGITransport(
        app=Starlette(routes=routes(database, TOKEN)), client=(client, 1)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as asked:
        return await asked.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_alive_and_ready(database: Database) -> None:
    assert (await get(database, "/healthz")).status_code == 200
    assert (await get(database, "/readyz")).text == "ready"


async def test_alive_but_not_ready_without_its_database(database: Database) -> None:
    await database.close()
    assert (await get(database, "/healthz")).status_code == 200
    assert (await get(database, "/readyz")).status_code == 503


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"x_forwarded_for": "9.9.9.9"}, 404),
        ("127.0.0.1", {"forwarded": "for=9.9.9.9"}, 404),
        ("9.9.9.9", {}, 404),
        ("9.9.9.9", {"authorization": "Bearer wrong"}, 404),
        ("9.9.9.9", {"authorization": "Bearer "}, 404),
        ("9.9.9.9", {"authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
async def test_metrics_are_for_this_machine_and_for_the_token(
    database: Database, client: str, headers: dict[str, str], status: int
) -> None:
    found = await get(database, "/metrics", client=client, **headers)
    assert found.status_code == status
    assert ("cwb_waiting_letters" in found.text) == (status == 200)
