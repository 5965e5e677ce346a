"""`watch`: what happens in a training, over its steps; and the files that are made of the record."""
