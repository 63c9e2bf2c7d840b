# ruleid: code-from-data
import pickle
import subprocess

import yaml
# ruleid: table-in-a-page
from sqlalchemy import select
# ruleid: table-in-a-page
from storage.schema import children, persons


def bites(conn, text, Markup, Environment, HTMLResponse):
    # ruleid: yaml-that-makes-objects
    yaml.load(text)
    # ruleid: code-from-data
    eval(text)
    # ruleid: code-from-data
    subprocess.run(text, shell=True)
    # ruleid: html-not-escaped-in-python
    Markup(text)
    # ruleid: html-not-escaped-in-python
    Environment(autoescape=False)
    # ruleid: html-not-escaped-in-python
    HTMLResponse("<p>" + text)
    # ruleid: table-in-a-page
    conn.execute(select(children))


def does_not_bite(text, Markup, HTMLResponse, page):
    # ok: yaml-that-makes-objects
    yaml.safe_load(text)
    # ok: html-not-escaped-in-python
    Markup("<b>ours</b>")
    # ok: html-not-escaped-in-python
    HTMLResponse(page.render(text=text))
