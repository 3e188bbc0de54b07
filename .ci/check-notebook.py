#!/usr/bin/env python3
"""Checks the files of lessons' runs: .ci/check-notebook.py Output/Lesson04-VAE ...

notebook.ipynb must be valid for nbformat and rendered by nbconvert; index.html must be well formed, under 5 MB and
refer to nothing outside; results.json must be JSON without NaN. Needs the Python packages nbformat and nbconvert.
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbconvert
import nbformat

VOID = {"meta", "link", "img", "br", "hr", "input", "col", "source"}


class Balance(HTMLParser):
    """Notes tags that do not match, identifiers given twice, and references that leave the file."""

    def __init__(self):
        super().__init__()
        self.open, self.problems, self.identifiers = [], [], set()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if len(values) != len(attributes):
            self.problems.append(f"an attribute of <{tag}> is given twice")
        if (name := values.get("id")) is not None:
            if name in self.identifiers:
                self.problems.append(f"the identifier {name} is given twice")
            self.identifiers.add(name)
        if tag == "img" and "alt" not in values:
            self.problems.append("an image has no alternative text")
        if re.match(r"(https?:)?//", values.get("src", "")) or tag in ("link", "iframe", "object"):
            self.problems.append(f"<{tag}> asks for something outside: {values.get('src', '')[:80]}")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> does not match")


def problems(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    balance = Balance()
    balance.feed(page)
    yield from balance.problems
    if balance.open:
        yield f"index.html: not closed: {balance.open}"
    if len(page.encode()) > 5_000_000:
        yield f"index.html: {len(page.encode())} bytes"
    if re.search(r"url\(\s*['\"]?(https?:)?//|@import", page):
        yield "index.html: the style asks for something outside"
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    rendered, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(notebook)
    if len(rendered) < 200:
        yield "notebook.ipynb: nbconvert made an empty page"
    if (folder / "results.json").exists():
        refuse = lambda name: (_ for _ in ()).throw(ValueError(f"{name} is not JSON"))
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
        expected = ["lesson", "title", "seed", "size", "seconds", "parameters", "measurements"]
        if list(results) != expected:
            yield f"results.json: its keys are {list(results)}"


if __name__ == "__main__":
    failed = False
    if len(sys.argv) < 2:
        sys.exit("usage: check-notebook.py FOLDER ...")
    for name in sys.argv[1:]:
        try:
            found = list(problems(Path(name)))
        except Exception as error:  # whatever the parsers raise is the finding
            found = [f"{type(error).__name__}: {error}"]
        for problem in found:
            print(f"{name}: {problem}")
        failed = failed or bool(found)
    sys.exit(1 if failed else 0)
