"""Public training programs, read from where they were fetched, by PyTorch and by this project.

    python -m tests.nn.public FOLDER [name ...]     run them in both, and print the table of docs/programs.md

FOLDER has their repositories as owner+name. Their text is not in this one, and is not changed: `programs.py` says what
is run, with which arguments and data; drivers/ are a few lines of our own where theirs need a GPU or a download;
standins/ are modules that give both libraries the same data; `seeded.py` starts a program from one seed.
"""
