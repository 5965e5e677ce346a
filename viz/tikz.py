"""Circuits as TikZ, for papers: the same positions as in the SVG, set in the fonts of the document."""

import re

from viz import text
from viz.picture import CONSTANT, GATE, OUTPUT
from viz.svg import GREEN, RED
from viz.svg_circuit import RADIUS, CircuitWriter

POINT = 0.75
"""Points to the pixel."""

PREAMBLE = rf"""% A circuit drawn by gradcircuit: values in green above the wires, gradients in red below.
% Compile it as it is (pdflatex; lualatex for letters beyond Latin and Greek), or \input it into a document
% that loads the packages standalone and tikz.
\documentclass[tikz,border=4pt]{{standalone}}
\begin{{document}}
\definecolor{{value}}{{HTML}}{{{GREEN[1:].upper()}}}
\definecolor{{gradient}}{{HTML}}{{{RED[1:].upper()}}}
\begin{{tikzpicture}}[x={POINT}pt, y=-{POINT}pt, wire/.style={{draw=black!55, semithick}},
  gate/.style={{draw, semithick, fill=black!4}}, every node/.style={{inner sep=0pt, outer sep=0pt}},
  number/.style={{font=\footnotesize, text height=6pt, text depth=1pt}}]
"""

_GREEK = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi "
          "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega")
_SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"{\upshape\$}", "&": r"\&", "#": r"\#", "%": r"\%",
            "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
            ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "×": r"$\times$",
            "–": "--", "…": r"\dots{}", "∞": r"$\infty$", "√": r"$\surd$", "*": r"$\ast$",
            "⚠": "!", "\N{REPLACEMENT CHARACTER}": "?", "²": r"$^2$",
            **{letter: rf"$\{name}$" for letter, name in zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _GREEK.split(),
                                                             strict=True)}}


class TikzWriter(CircuitWriter):
    """Writes the positions of the SVG as a LaTeX file."""

    def tex(self) -> str:
        """The whole document."""
        return f"{PREAMBLE}{self.body()}\\end{{tikzpicture}}\n\\end{{document}}\n"

    def body(self) -> str:
        """What stands in the picture."""
        return "".join([*map(self._wire, range(len(self.picture.wires))), *map(self._fork, self.forks()),
                        *map(self._box, range(len(self.picture.boxes)))])

    def _wire(self, i: int) -> str:
        """Straight along the boxes, bent between them."""
        (x, y), *rest = (self.at(*point) for point in self.routes[i])
        path = f"({x:.1f},{y:.1f})"
        for k, (x2, y2) in enumerate(rest):
            middle = (x + x2) / 2
            bent = k % 2 and y != y2
            way = f".. controls ({middle:.1f},{y:.1f}) and ({middle:.1f},{y2:.1f}) .." if bent else "--"
            path += f" {way} ({x2:.1f},{y2:.1f})"
            x, y = x2, y2
        lines = f"\\draw[wire] {path};\n"
        if contribution := self.picture.wires[i].contribution:
            (start, y), (end, _) = self.at(*self.routes[i][-2]), self.at(*self.routes[i][-1])
            lines += _node((start + end) / 2, y + 3, contribution, r"gradient, anchor=north, number, font=\scriptsize")
        return lines

    def _fork(self, i: int) -> str:
        x, y = self.at(self.run_ends[i], self.centers[i][1])
        return f"\\fill[black!55] ({x:.1f},{y:.1f}) circle[radius=1.6pt];\n"

    def _box(self, i: int) -> str:
        box, length = self.picture.boxes[i], self.sizes[i].length
        x, y = self.at(*self.centers[i])
        left, right = x - length / 2, x + length / 2
        if box.kind is GATE:
            half = self.height(i) / 2
            shape = (f"({x:.1f},{y:.1f}) circle[radius={RADIUS * POINT:g}pt]" if self.round(i) else
                     f"[rounded corners={RADIUS * POINT:g}pt] ({left:.1f},{y - half:.1f}) rectangle "
                     f"({right:.1f},{y + half:.1f})")
            lines = f"\\draw[gate{', dashed' * box.backward}] {shape};\n" + _node(x, y, box.label, "")
            if box.name:
                lines += _node(x, y + half + 4, box.name, r"black!60, anchor=north, font=\footnotesize", name=True)
        elif box.kind is OUTPUT:
            lines = _node(left + 4, y, box.label, "anchor=west", name=True)
        else:
            lines = _node(right - 6, y, box.label, "anchor=east" + ", black!60" * (box.kind is CONSTANT), name=True)
        if i in self.uses:
            middle = (right + self.at(self.run_ends[i], 0)[0]) / 2
            lines += _node(middle, y - 3, box.value, "value, anchor=south, number")
            lines += _node(middle, y + 3, box.gradient, "gradient, anchor=north, number")
        return lines


def _node(x: float, y: float, content: str, look: str, name: bool = False) -> str:
    if not content:
        return ""
    return f"\\node[{look}] at ({x:.1f},{y:.1f}) {{{_name(content) if name else escaped(content)}}};\n"


def _name(name: str) -> str:
    """In italics, with a subscript."""
    stem, subscript = text.name_parts(text.shorten(name, text.LONG_NAME))
    if subscript:
        return f"\\textit{{{escaped(stem)}}}$_{{\\mathrm{{{subscript}}}}}$" if subscript.isascii() else escaped(name)
    return f"\\textit{{{escaped(stem)}}}"


def escaped(content: str) -> str:
    """Any text as LaTeX shows it; powers of ten as in 4.5e-5 stay as they are."""
    return "".join(_SPECIAL.get(c, c) for c in re.sub(r"\s+", " ", text.clean(content)))
