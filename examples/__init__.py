"""The gallery: what the notes of Stanford's CS231n teach, each small, on real data, with a picture and a claim.

`python -m examples` lists them. gallery.py finds and runs them, data.py has their data, README.md what they reached.
"""
