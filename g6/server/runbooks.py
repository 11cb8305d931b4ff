"""The runbooks as pages that a browser shows, from the Markdown that ships."""

from html import escape

from markdown_it import MarkdownIt

from g6.server.landing import STYLE

# CommonMark and tables; HTML in a page is shown as text.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def runbook_page(title: str, markdown: str) -> str:
    """Return the page as HTML, complete in itself; links between pages are those of the files."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>"
        '<header><p><a href="/">G6</a> / <a href="/runbooks/">runbooks</a></p></header>'
        f'<section class="page">{MARKDOWN.render(markdown)}</section></main></body></html>\n'
    )
