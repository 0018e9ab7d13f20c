"""One module for each group of paths: a request in, a response out."""
