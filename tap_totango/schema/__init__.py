"""Which columns a stream has, of which type, under which name."""

from tap_totango.schema.catalog import catalog_in, fitted, json_of_file, known_columns
from tap_totango.schema.columns import (
    EXTRA,
    NARROW,
    Column,
    base_columns,
    columns_of_attributes,
    columns_of_fields,
    fields_for,
    label_of,
    part_keys,
    schema_of,
)
from tap_totango.schema.computed import column_kind, computed_columns, roles_of
from tap_totango.schema.inference import common_kind, kind_of_values
from tap_totango.schema.naming import (
    SNAKE,
    KnownColumns,
    NamedColumns,
    Naming,
    name_columns,
    remember,
)
from tap_totango.schema.seen_rows import VALUES, SeenColumns, columns_of_rows, names_in
from tap_totango.schema.times import ConversionError, milliseconds_of, moment_of, timestamp
from tap_totango.schema.types import (
    BOOLEAN,
    JSON,
    NUMBER,
    OBJECT,
    TEXT,
    TIMESTAMP,
    convert,
    convert_column,
)

__all__ = [
    "BOOLEAN",
    "EXTRA",
    "JSON",
    "NARROW",
    "NUMBER",
    "OBJECT",
    "SNAKE",
    "TEXT",
    "TIMESTAMP",
    "VALUES",
    "Column",
    "ConversionError",
    "KnownColumns",
    "NamedColumns",
    "Naming",
    "SeenColumns",
    "base_columns",
    "catalog_in",
    "column_kind",
    "columns_of_attributes",
    "columns_of_fields",
    "columns_of_rows",
    "common_kind",
    "computed_columns",
    "convert",
    "convert_column",
    "fields_for",
    "fitted",
    "json_of_file",
    "kind_of_values",
    "known_columns",
    "label_of",
    "milliseconds_of",
    "moment_of",
    "name_columns",
    "names_in",
    "part_keys",
    "remember",
    "roles_of",
    "schema_of",
    "timestamp",
]
