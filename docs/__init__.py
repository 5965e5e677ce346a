"""What makes the documentation: the reference and stubs (generate.py), and the site (site.py)."""
