# ruleid: http-client-outside-the-channels
import httpx
# ruleid: http-client-outside-the-channels
from urllib.request import urlopen
import ssl


async def bites(client, bot, form, request, context, n):
    # ruleid: redirects-followed
    await client.get("https://example.org", follow_redirects=True)
    # ruleid: tls-not-verified
    httpx.AsyncClient(verify=False)
    # ruleid: tls-not-verified
    context.check_hostname = False
    # ruleid: media-fetched
    await bot.get_file("id")
    # ruleid: media-fetched
    form.get("MediaUrl0", "")
    # ruleid: media-fetched
    form.get(f"MediaUrl{n}", "")
    # ruleid: media-fetched
    form["MediaUrl0"]
    # ruleid: proxy-header-trusted
    request.headers.get("x-forwarded-host", "")
    # ruleid: proxy-header-trusted
    request.headers["Host"]


async def does_not_bite(client, form, request, n):
    # ok: redirects-followed
    await client.get("https://example.org", follow_redirects=False)
    # ok: tls-not-verified
    httpx.AsyncClient(verify=ssl.create_default_context())
    # ok: media-fetched
    form.get(f"MediaContentType{n}", "")
    # ok: proxy-header-trusted
    request.headers.get("x-twilio-signature", "")
