"""Curves, images, heat maps, clouds of points: Figures of Matplotlib."""
