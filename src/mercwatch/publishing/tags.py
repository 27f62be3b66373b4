"""Small figures for templates: the pips of a level, the word draft, a share of a bar."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
MAX_PIPS = 3
_DRAFT = '<span class="draft">draft</span>'


@register.simple_tag
def pips(level: int | None, top: int, draft: bool, state: str) -> SafeString:
    """A level as bars that fill up, hatched if draft, dotted without a level; words stand beside it."""
    filled = level or 0
    bars = format_html_join(
        "", "<i{}></i>", ((_on(n <= filled),) for n in range(1, min(top or 1, MAX_PIPS) + 1))
    )
    kind = " nolevel" if level is None else " isdraft" if draft else ""
    return format_html('<span class="pips{}" aria-hidden="true">{}</span>', kind, bars)


def _on(filled: bool) -> SafeString:
    return mark_safe(' class="on"') if filled else mark_safe("")


@register.simple_tag
def draft() -> SafeString:
    """The mark of everything that no person has reviewed."""
    return mark_safe(_DRAFT)  # noqa: S308 - no input in it


@register.simple_tag
def tally(number: int, drafts: int, stage: str) -> SafeString:
    """How many questions stand at a stage, drawn as that many squares with the number beside."""
    if not number:
        return mark_safe('<span class="none">–</span>')
    squares = mark_safe("<i></i>" * number)  # noqa: S308 - no input in it
    kind = " isdraft" if drafts else ""
    return format_html(
        '<span class="tally {}{}" aria-hidden="true">{}</span> <span class="num">{}</span>',
        stage,
        kind,
        squares,
        number,
    )


@register.filter
def when(text: str | None) -> str:
    """A date of the record in words: "2024" as it is, an interval as the days that it may be."""
    start, slash, end = (text or "").partition("/")
    if not slash:
        return start
    return f"{end} at the latest" if start == ".." else f"some day from {start} to {end}"


@register.filter
def span(text: str | None) -> str:
    """A stretch of time in words: "2017/2022" as "2017 to 2022"."""
    start, slash, end = (text or "").partition("/")
    if not slash:
        return start
    return f"up to {end}" if start == ".." else f"{start} to {end}"


@register.filter
def grouped(number: int) -> str:
    """12345 as "12,345"."""
    return f"{number:,}"


@register.simple_tag
def share(part: int, whole: int, width: int) -> str:
    """The part's length on a bar of that width."""
    return f"{part / whole * width:.1f}" if whole else "0"
