"""The login page, and the redirect back to the app that carries the request token."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from g6.simulator.kite_server.sessions import App

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Kite, simulated: log in</title>
<style>body{{font:16px system-ui;margin:4rem auto;max-width:26rem}} button{{font:inherit;padding:.6rem 1.2rem}}</style>
</head><body>
<h1>Simulated login</h1>
<p>This is not Zerodha: a local server plays its part. There is no password.</p>
<p>App <b>{api_key}</b>, user <b>{user_name}</b> ({user_id})</p>
<form method="post"><button>Log in</button></form>
</body></html>
"""


def page(app: App) -> web.Response:
    """Return the page on which a person logs in by one press."""
    text = PAGE.format(api_key=escape(app.api_key), user_name=escape(app.user_name), user_id=escape(app.user_id))
    return web.Response(text=text, content_type="text/html")


def unknown_app() -> web.Response:
    """Return what a person sees whose app the server does not know."""
    return web.Response(status=400, text="<h1>Invalid `api_key`.</h1>", content_type="text/html")


def back_to_app(redirect_url: str, request_token: str, redirect_params: str) -> web.Response:
    """Return the redirect to the app; `redirect_params` is a query of the app's own, which comes back to it."""
    parts = urlsplit(redirect_url)
    query = [
        *parse_qsl(parts.query),
        ("action", "login"),
        ("type", "login"),
        ("status", "success"),
        ("request_token", request_token),
        *parse_qsl(redirect_params),
    ]
    return web.Response(status=302, headers={"Location": urlunsplit(parts._replace(query=urlencode(query)))})
