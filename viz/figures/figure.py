"""Matplotlib's Figure, shown by every notebook."""

import io

from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A Figure that ends a cell is shown, though `pyplot` was never imported; without that Jupyter prints its size."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()
