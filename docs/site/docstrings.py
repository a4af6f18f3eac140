"""Docstrings as the package writes them, in Markdown: examples in blocks, roles as names."""

from __future__ import annotations

import re

import griffe

ROLE = re.compile(r":(?:py:)?(?:func|class|meth|mod|attr|data|exc):`~?([^`]+)`")
EXAMPLE = re.compile(r"^(?:>>> .*\n?)(?:[^\n]+\n?)*", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Changes each docstring before it is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    text = EXAMPLE.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", text)
    return ROLE.sub(lambda match: f"`{match[1].removeprefix('streamlib.')}`", text)
