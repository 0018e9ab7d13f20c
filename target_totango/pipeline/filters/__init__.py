"""Keeps rows from being sent, or changes them first: one module for each question about them."""

from target_totango.pipeline.filters.chain import FilterChain
from target_totango.pipeline.filters.deletes import HardDeletes
from target_totango.pipeline.filters.made_once import UNCERTAIN
from target_totango.pipeline.filters.parents import ParentsFirst
from target_totango.pipeline.filters.redundant import CaseVariants

__all__ = ["UNCERTAIN", "CaseVariants", "FilterChain", "HardDeletes", "ParentsFirst"]
