"""What the machine needs: its memory, BLAS, threads, files, and code compiled for it."""
