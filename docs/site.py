"""Pages of the site that are made of other files: README, gallery, notebooks with their outputs, docstrings.

A hook of mkdocs; see mkdocs.yml. `make docs` builds the site into site/.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import viz
from autograd import Tensor, exp
from docs import api, notebooks

ROOT = Path(__file__).parents[1]
OURS = r"https://(?:github\.com|raw\.githubusercontent\.com)/gradcircuit/gradcircuit/(?:(?:blob|tree)/)?main/"
SOURCE = "https://github.com/gradcircuit/gradcircuit/blob/main/"
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
PLACES = PAGES | {"examples/README.md": "gallery.md", "docs/tutorials": "tutorials/first_circuit.md"}
PLAYER = "neuron.html"
FRAME = f'<iframe src="{PLAYER}" title="Step through the passes" style="width:100%;height:26rem;border:0"></iframe>'


def on_config(config: Any) -> Any:
    """Put the pages of the modules into the table of contents."""
    reference = next(part for part in config.nav if "Reference" in part)
    for package, modules in api.MODULES.items():
        table = [{"At a glance": api.TABLES[package]}] if package in api.TABLES else []
        reference["Reference"].append({package: [*table, *({name: f"api/{name}.md"} for name in modules)]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add them to the files of the site."""
    made: dict[str, str | bytes] = {
        page: as_page((ROOT / name).read_text(encoding="utf-8")) for name, page in PAGES.items()}
    made[PLAYER] = neuron()
    made |= {f"api/{name}": page for name, page in api.pages().items()}
    made |= gallery()
    for path in sorted((ROOT / "docs/tutorials").glob("*.ipynb")):
        page, pictures = notebooks.as_page(path)
        made[f"tutorials/{path.stem}.md"] = page
        made |= {f"tutorials/{name}": content for name, content in pictures.items()}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page as the site has it: names lead to docstrings, and files of the repository are at their own address."""
    markdown = "".join(part if part.startswith("```") else re.sub(r"^ {2,3}(?! )", "    ", part, flags=re.M)
                       for part in re.split(r"(^```.*?^```$)", markdown, flags=re.M | re.S))  # in lists 4 are wanted
    if "/" in page.file.src_uri:
        return markdown
    if page.file.src_uri in api.TABLES.values():
        markdown = with_links(markdown)
    if page.file.src_uri == "visualizing.md":
        markdown = markdown.replace("## Models\n", f"{FRAME}\n\n## Models\n")
    markdown = markdown.replace("](../examples/README.md", "](gallery.md")
    markdown = re.sub(r"\]\((tutorials/\w+)\.ipynb\)", r"](\1.md)", markdown)
    return re.sub(r"\]\(\.\./", f"]({SOURCE}", markdown)


def with_links(table: str) -> str:
    """A page of tables whose names lead to their docstrings."""
    known = {f"{module}.{name}": f"api/{module}.md#{module}.{name}"
             for module, names in api.names().items() for name in names}
    module, lines = "autograd", []
    for line in table.split("\n"):
        if match := re.match(r"## ([a-z_.]+)$", line):
            module = match[1]
        name = re.match(r"\| `(\w+)", line)
        place = known.get(f"{module}.{name[1]}") if name else None
        lines.append(re.sub(r"\| (`[^`]+`)", rf"| [\1]({place})", line, count=1) if place else line)
    return "\n".join(lines)


def gallery() -> dict[str, str | bytes]:
    """The page of the examples, each row of its tables being a section, and the pictures."""
    folder, lines = ROOT / "examples", []
    for line in (folder / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| <img"):
            picture, what, data, length, seconds, result, claim = (cell.strip() for cell in line[2:-2].split(" | "))
            name, place, says = re.fullmatch(r"\[(.+?)\]\((.+?)\): (.*)", what).groups()
            lines += ["", f"### {name}", "", f"[{picture}]({place})", "", says, "",
                      f"*{claim}* With seed 0: {result}.", "",
                      f"[Source]({place}), {length} lines, {seconds} s{data and f'; data: {data}'}."]
        elif not line.startswith("| "):  # the head of a table
            lines.append(line)
    text = re.sub(r"\]\((?=\w+/\w+\.py\))", f"]({SOURCE}examples/", "\n".join(lines))
    return {"gallery.md": text, **{path.relative_to(folder).as_posix(): path.read_bytes()
                                   for path in sorted(folder.glob("thumbnails/*"))}}


def as_page(text: str) -> str:
    """A file of the repository as a page: its links lead to pages, and the picture of the neuron is alive."""
    text = re.sub(OURS, "", text)
    text = re.sub(r"!\[[^]]*\]\[neuron\]", FRAME, text)
    for name, page in PLACES.items():
        text = re.sub(rf"(\]\(|\]: ){re.escape(name)}(?=[)#\s])", rf"\g<1>{page}", text)
    text = re.sub(r"(\]\(|\]: )docs/", r"\1", text)
    return re.sub(r"(\]\(|\]: )(?=(autograd|nn|optim|viz|tests|examples|benchmarks)/)", rf"\1{SOURCE}", text)


def neuron() -> str:
    """The sigmoid neuron of the CS231n notes, as a page that steps through its passes."""
    w0, x0, w1, x1, w2 = (Tensor(value, requires_grad=True) for value in (2.0, -1.0, -3.0, -2.0, -3.0))
    f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    with tempfile.TemporaryDirectory() as folder:
        return viz.draw(f).save(Path(folder) / PLAYER).read_text(encoding="utf-8")
