"""What a query selects: filters, fields and pages over stored rows."""
