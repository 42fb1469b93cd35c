"""One module a file format; each gives a generator ``read`` over one delivery."""
