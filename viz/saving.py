"""Pictures are written to files: whole or not at all, in the format that the suffix says."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from autograd.runtime import files


def save(path: str | Path, formats: Mapping[str, Callable[[], str | bytes]], what: str, besides: str = "") -> Path:
    """Write a file, and return its path.

    Args:
        path: where to; folders that are missing are made.
        formats: suffix -> the content.
        what: "a drawing", for the error.
        besides: where else the caller can write it.

    Raises:
        ValueError: no such format.
        OSError: the file cannot be written; one that was there is untouched.
    """
    path = Path(path)
    if path.suffix.lower() not in formats:
        raise ValueError(f"{path.name!r}: {what} can be saved as {', '.join(formats)}{besides}, not as {path.suffix!r}")
    content = formats[path.suffix.lower()]()
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def converted(svg: str, kind: str) -> bytes:
    """An SVG as "png" or "pdf".

    Raises:
        ImportError: CairoSVG is missing.
    """
    try:
        cairosvg = importlib.import_module("cairosvg")
    except (ImportError, OSError) as error:  # OSError: the Cairo library itself is missing
        raise ImportError(f"saving as .{kind} needs CairoSVG and the Cairo library: pip install 'gradcircuit[images]' "
                          f"({error}); .svg and .html need nothing") from error
    convert: Callable[..., bytes] = getattr(cairosvg, f"svg2{kind}")
    return convert(bytestring=svg.encode(), scale=2 if kind == "png" else 1)
