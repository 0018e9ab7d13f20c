"""The order of things in a run: process, filter, deliver, handle results, finish."""
