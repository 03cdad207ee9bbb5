"""An instant as whole seconds, which both databases can subtract; each has its own words for it."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class whole_seconds(FunctionElement[int]):  # noqa: N801  (it is written like SQLAlchemy's own functions)
    """The seconds of an instant since 1970, without the fraction of the one that has begun."""

    type = BigInteger()
    inherit_cache = True


@compiles(whole_seconds, "sqlite")
def _sqlite(element: whole_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(whole_seconds, "postgresql")
def _postgresql(element: whole_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"
