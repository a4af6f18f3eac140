"""What the site does on top of mkdocs: texts of the repository are included, and every effect gets its picture."""

from __future__ import annotations

import ast
import os
import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
#: Where `build.py` has left the pictures of the gallery.
GALLERY = Path(os.environ.get("STREAMLIB_GALLERY", ROOT / "target" / "gallery"))
#: Pages that show what a file of the repository says.
PAGES = {
    "README.md": "index.md",
    "python/README.md": "tracing.md",
    "effects/README.md": "gallery.md",
    "examples/python/README.md": "examples.md",
    "examples/python": "examples.md",
    "examples/c/README.md": "surfaces.md",
    "examples/gstreamer/README.md": "surfaces.md",
    "examples/c": "surfaces.md",
    "examples/gstreamer": "surfaces.md",
}

INCLUDE = re.compile(r"^<!-- include: (\S+)(?: # (.+?))? -->$", re.MULTILINE)
LINK = re.compile(r"(!?\[(?:[^\[\]]|`[^`]*`)*\]\()([^)\s]+)(\))")
ROW = re.compile(r"^\| \[`(\w+)`\]\(\S+\) \| (.+?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def on_files(files, config):
    """The pictures of the gallery, beside the pages."""
    for picture in sorted(GALLERY.glob("*.jpg")):
        files.append(File.generated(config, f"gallery/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Includes come first; then what they link to is brought along, or left out."""
    if page.file.src_uri == "gallery.md":
        markdown = markdown.replace("<!-- effects -->", effects())
    return INCLUDE.sub(lambda match: included(match[1], match[2], page, config, files), markdown)


def on_env(env, config, files):
    """Every public name has its place in the reference."""
    texts = "".join(file.content_string for file in files if file.src_uri.startswith("reference/"))
    told = set(re.findall(r"^::: streamlib\.(\w+)$", texts, re.MULTILINE))
    missing = public_names() - told
    if missing:
        raise PluginError(f"the reference does not have {', '.join(sorted(missing))}: add `::: streamlib.NAME` to a page of it")


def public_names() -> set[str]:
    tree = ast.parse((ROOT / "python" / "streamlib" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "__all__":
            return set(ast.literal_eval(node.value))
    raise PluginError("the package has no __all__")


def included(path: str, title: str | None, page, config, files) -> str:
    """A file of the repository, or one section of it, with its links as the site has them."""
    text = (ROOT / path).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = {"": parts[0].partition("\n")[2], **dict(zip(parts[1::2], parts[2::2]))}
    if title is not None and title not in sections and title != "intro":
        raise PluginError(f"{page.file.src_uri}: {path} has no section {title!r}; there are: {', '.join(parts[1::2])}")
    if title is not None:
        text = sections["" if title == "intro" else title]
    return LINK.sub(lambda match: linked(match, path, page, config, files), text.strip())


def linked(match: re.Match[str], path: str, page, config, files) -> str:
    """A link of an included text: to a page, to a file that is brought along, or none where it was to a folder."""
    target, _, anchor = match[2].partition("#")
    if "://" in target or not target:
        return match[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target in PAGES:
        there = PAGES[target]
    elif (ROOT / target).is_file():
        there = f"source/{target}" if not target.startswith("docs/images/") else target.removeprefix("docs/")
        # Texts are shown as they are.
        there += ".txt" if there.endswith(".md") else ""
        if files.get_file_from_path(there) is None:
            files.append(File.generated(config, there, abs_src_path=str(ROOT / target)))
    elif (ROOT / target).is_dir():
        return match[1].removesuffix("](").removeprefix("[")
    else:
        raise PluginError(f"{path} links to {target}, which is not there")
    return match[1] + posixpath.relpath(there, posixpath.dirname(page.file.src_uri) or ".") + match[3]


def effects() -> str:
    """A section for each effect, from the table in effects/README.md, which a test keeps true."""
    rows = ROW.findall((ROOT / "effects" / "README.md").read_text(encoding="utf-8"))
    lacking = [name for name, *_ in rows if not (GALLERY / f"{name}.jpg").is_file()]
    if lacking or not rows:
        raise PluginError(f"{GALLERY} has no pictures of {', '.join(lacking)}: build the site with `./x docs`")
    return "\n\n".join(effect(*row) for row in rows)


def effect(name: str, what: str, inputs: str, parameters: str) -> str:
    lines = [f"## {name}", what, f"![What `{name}` makes of the picture](gallery/{name}.jpg)"]
    lines += [f"Inputs: {inputs}"] * (inputs != "`input`")
    lines += ["\n".join(f"- {parameter}" for parameter in parameters.split("<br>") if parameter)]
    return "\n\n".join(lines)
