"""Programs that take minutes and print what they find; each is run by itself."""
