"""The dry run: what would be created, updated or left unchanged, and how rows would go out."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_totango.delivery.base import Planned
from target_totango.models import API, HUB, Row
from target_totango.objects import OBJECTS
from target_totango.verify import NAMES, Sent
from totango_api.text import counted
from totango_api.writing import tracking_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_totango.models import ValidationError
    from target_totango.verify import Difference, Verdict, Verifier

FIRST_ROWS: Final = 10
EXAMPLES: Final = 3
ATTRIBUTES_SHOWN: Final = 20
LONGEST_RECORD: Final = 300

RowExamples: TypeAlias = "list[dict[str, Any]]"
BATCH_ROWS: Final = 500


@dataclass
class DryRunSummary:
    """What a run would do.

    Attributes:
        cannot_tell: Rows of which nobody can say whether they exist: no token, or an object
            that cannot be looked up.
        changes: How often each attribute would change.
        changed: Rows in which it would, with the old and the new value.
        rejected: Rows that would be rejected, by reason.
        first_rows: The first rows as they would go out.
    """

    create: int = 0
    update: int = 0
    unchanged: int = 0
    cannot_tell: int = 0
    delete: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    changed: defaultdict[str, RowExamples] = field(default_factory=lambda: defaultdict(list))
    rejected: defaultdict[str, RowExamples] = field(default_factory=lambda: defaultdict(list))
    first_rows: list[dict[str, Any]] = field(default_factory=list)

    def note_changes(self, row: Row, differences: Iterable[Difference]) -> None:
        """Count the attributes that would change, and keep examples."""
        for each in differences:
            self.changes[each.attribute] += 1
            if len(self.changed[each.attribute]) < EXAMPLES:
                change = {"id": row.request.key[1:], "old": each.found, "new": each.sent}
                self.changed[each.attribute].append(change)

    def note_rejected(self, row: Row, errors: Iterable[ValidationError]) -> None:
        """Note why a row would be rejected."""
        for error in errors:
            examples = self.rejected[error.reason]
            if len(examples) < EXAMPLES:
                record = row.message["record"]
                examples.append({"stream": row.stream, "message": error.message, "record": record})

    def as_dict(self, *, rejected: int) -> dict[str, Any]:
        """Return the summary for JSON."""
        return {
            "create": self.create,
            "update": self.update,
            "unchanged": self.unchanged,
            "rejected": rejected,
            "delete": self.delete,
            "cannot_tell": self.cannot_tell,
            "changes": dict(self.changes.most_common()),
            "change_examples": self.changed,
            "rejected_examples": self.rejected,
            "first_rows": self.first_rows,
        }

    def show(self, *, rejected: int) -> None:
        """Write the summary to standard error.

        Not through the log: rows hold what logs must not, and whoever asks for a dry run asks
        to see them.
        """
        counts = (
            f"  {self.create} would be created, {self.update} updated, "
            f"{self.unchanged} left unchanged, {rejected} rejected, {self.delete} deleted; "
            f"of {self.cannot_tell} it cannot be told."
        )
        lines = ["Dry run: nothing was written, and no state is emitted.", counts]
        for name, count in self.changes.most_common(ATTRIBUTES_SHOWN):
            lines.append(f"  {name}: changes in {counted(count, 'row')}")
            lines += [
                f"    {' '.join(each['id'])}: {each['old']!r} -> {each['new']!r}"
                for each in self.changed[name]
            ]
        for reason, examples in self.rejected.items():
            lines.append(f"Rejected: {reason}")
            lines += [f"    {each['message']}: {as_line(each['record'])}" for each in examples]
        if self.first_rows:
            lines.append(f"What would go out, the first {counted(len(self.first_rows), 'row')}:")
        for row in self.first_rows:
            texts = "  ".join(f"{name}={text}" for name, text in row["sends"].items())
            lines.append(f"  {row['stream']} -> {row['object']} ({row['action']}): {texts}")
        sys.stderr.write("\n".join(lines) + "\n")


class DryRunDestination:
    """Looks at every row instead of sending it.

    Args:
        summary: Where the findings go.
        verifier: Compares rows with what Totango holds; None without a token.
    """

    def __init__(self, summary: DryRunSummary, verifier: Callable[[], Verifier] | None) -> None:
        self._summary = summary
        self._verifier = verifier
        self._rows: list[Row] = []
        self._results: list[tuple[Row, Planned]] = []

    @property
    def busy(self) -> bool:
        """Nothing goes on elsewhere."""
        return False

    def put(self, row: Row) -> bool:
        """Take a row; return whether rows were looked at that were not collected."""
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self._look()
        return bool(self._results)

    def collect(self) -> list[tuple[Row, Planned]]:
        """Return the rows that were looked at."""
        results, self._results = self._results, []
        return results

    def drain(self, *, until: float) -> bool:
        """Look at every row that is left."""
        del until
        self._look()
        return True

    def cancel(self) -> None:
        """Look at no further row."""
        self._rows.clear()

    def close(self) -> None:
        """Nothing to end."""

    def _look(self) -> None:
        rows, self._rows = self._rows, []
        verdicts = self._verdicts(rows)
        for row in rows:
            action = self._action(row, verdicts.get(row.seq))
            setattr(self._summary, action, getattr(self._summary, action) + 1)
            if len(self._summary.first_rows) < FIRST_ROWS:
                self._summary.first_rows.append(
                    {
                        "stream": row.stream,
                        "object": row.object,
                        "action": action,
                        "sends": sends(row),
                    }
                )
            self._results.append((row, Planned()))

    def _verdicts(self, rows: list[Row]) -> dict[int, Verdict]:
        """Return how rows compare with what Totango holds, by row number, where that is known."""
        found = [row for row in rows if row.object in NAMES]
        if self._verifier is None or not found:
            return {}
        sent = [Sent(row.request.key, row.request.attributes) for row in found]
        verdicts = self._verifier().check(sent)
        return {row.seq: verdict for row, verdict in zip(found, verdicts, strict=True)}

    def _action(self, row: Row, verdict: Verdict | None) -> str:
        form = OBJECTS[row.object].engagement
        if form is not None and row.request.fields.get(form.id_name):
            return "update"
        if verdict is None:
            return "cannot_tell"
        if verdict.result == "missing":
            return "create"
        self._summary.note_changes(row, verdict.differences)
        return "unchanged" if verdict.result == "confirmed" else "update"


def sends(row: Row) -> dict[str, str]:
    """Return a row as it would go out: the parameters of its call, names unquoted."""
    write = row.request
    if row.delivery in {API, HUB}:
        return write.ids | write.attributes
    return dict(tracking_parameters(write.ids, write.account, write.user))


def as_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of JSON, shortened."""
    text = json.dumps(record, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST_RECORD else text[:LONGEST_RECORD] + "…"
