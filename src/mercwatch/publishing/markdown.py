"""Markdown of the codebook's guide as HTML: our own text, still with raw HTML switched off."""

from __future__ import annotations

from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(text: str) -> str:
    """HTML of a Markdown text, its headings two levels lower, so that they fit under a page's own."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    html: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return html
