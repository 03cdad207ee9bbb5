"""How PostgreSQL is to go about a question whose cost may not grow with history."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)


def by_index(session: Session) -> None:
    """Have every row be looked up by an index until the transaction ends.

    The planner thinks in disks that turn: from some thousand rows on it would rather read a whole table than look so
    many up, and a table of the ledger grows with all that ever happened; and starting a second process, or a compiler,
    takes longer than all the looking up. SQLite joins by index only.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_BY_INDEX)
