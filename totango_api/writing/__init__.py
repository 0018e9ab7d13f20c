"""Makes one write and reports a result for every row in it."""
