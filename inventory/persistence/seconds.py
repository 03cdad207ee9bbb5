"""An instant as whole seconds or microseconds, which both databases can subtract; each has its own words for it."""

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


class whole_microseconds(FunctionElement[int]):  # noqa: N801  (it is written like SQLAlchemy's own functions)
    """The microseconds of an instant since 1970: far cheaper to fetch than the instant."""

    type = BigInteger()
    inherit_cache = True


@compiles(whole_microseconds, "sqlite")
def _sqlite_microseconds(element: whole_microseconds, compiler: SQLCompiler, **options: Any) -> str:
    """Its text ends with six digits of a second."""
    instant = compiler.process(element.clauses, **options)
    return f"(CAST(strftime('%s', {instant}) AS INTEGER) * 1000000 + CAST(substr({instant}, 21, 6) AS INTEGER))"


@compiles(whole_microseconds, "postgresql")
def _postgresql_microseconds(element: whole_microseconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **options)}) * 1000000 AS BIGINT)"
