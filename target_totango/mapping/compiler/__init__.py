"""Compiles mappings against the SCHEMA of a stream: which field of a record goes where."""

from target_totango.mapping.compiler.mapping import compile_mapping
from target_totango.mapping.compiler.streams import compile_stream

__all__ = ["compile_mapping", "compile_stream"]
