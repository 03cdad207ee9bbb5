"""How PostgreSQL is to go about a question whose cost may not grow with history."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)

IN_MEMORY = "SELECT set_config('random_page_cost', '1', true), set_config('jit', 'off', true)"
"""For questions about all of a batch: rows that are looked up lie in memory, mostly, and are told to cost no more."""

ONCE = f"{_BY_INDEX.text}, set_config('plan_cache_mode', 'force_generic_plan', true)"
"""For questions of many tables that are asked again and again: every row by index, and each statement planned once.

To plan them is dearer than to answer them. The driver prepares a statement that it has sent a few times; from then on
its plan is kept. It is sent to PostgreSQL only, by `Database.read`.
"""


def by_index(session: Session) -> None:
    """Have every row be looked up by an index until the transaction ends.

    The planner thinks in disks that turn: from some thousand rows on it would rather read a whole table than look so
    many up, and a table of the ledger grows with all that ever happened; and starting a second process, or a compiler,
    takes longer than all the looking up. SQLite joins by index only.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_BY_INDEX)


_UNCOMPILED = text("SELECT set_config('jit', 'off', true)")


def uncompiled(session: Session) -> None:
    """Have no statement compiled until the transaction ends.

    For statements of many parts over many rows PostgreSQL would, and takes longer for it than for all of the rows.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_UNCOMPILED)
