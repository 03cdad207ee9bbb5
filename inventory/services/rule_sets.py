"""Sets of deadline rules, and from when on each is in force for whom."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.deadlines import LIMITS, DeadlineRule, RuleName, due
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import CLOCK_SKEW, FOREVER, OLDEST, stated
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility, Programme, RuleAssignment
from inventory.services import lookups
from inventory.services.ids import new_id
from inventory.services.paging import Page, page
from inventory.services.rules import RULE_SET

RULES = frozenset(RuleName) - LIMITS
"""What a set may rule; how long an opened or thawed vial lasts is its product's, whatever the programme."""


@dataclass(frozen=True)
class RuleSetRecord:
    """A set of rules: each with its window, `PTnH`, `same-day` or `next-day-end`."""

    code: str
    rules: tuple[DeadlineRule, ...]


@dataclass(frozen=True)
class RuleAssignmentRecord:
    """From when on a rule set holds, for a programme or all of them, for a facility with those below it or all."""

    rule_set: str
    effective_from: datetime
    programme: str | None = None
    facility: str | None = None


def add_rule_set(database: Database, record: RuleSetRecord) -> RuleSetRecord:
    """Make a rule set known. It is never changed: a changed rule is a new set, with an assignment of its own.

    Raises:
        Invalid: `malformed` for a rule that is none of a set's or comes twice, or a window that is none.
        Conflict: `already_exists`.
    """
    for place, rule in enumerate(record.rules):
        _refuse_no_rule(place, rule, {earlier.name for earlier in record.rules[:place]})

    def work(session: Session) -> RuleSetRecord:
        _one_at_a_time(session)
        lookups.refuse_known(session, tables.DeadlineRule.rule_set, record.code, "code")
        session.add_all(
            tables.DeadlineRule(rule_set=record.code, name=rule.name, window=rule.window) for rule in record.rules
        )
        return record

    return database.write(work)


def _refuse_no_rule(place: int, rule: DeadlineRule, earlier: set[RuleName]) -> None:
    if rule.name not in RULES or rule.name in earlier:
        expected = N_("each of %(names)s at most once")
        names = ", ".join(sorted(RULES))
        raise Invalid(Code.MALFORMED, f"rules.{place}.name", rule.name.value, expected, names=names)
    if not _is_window(rule.window):
        expected = N_("a window: PTnH with n from 1 to 9999 hours, same-day or next-day-end")
        raise Invalid(Code.MALFORMED, f"rules.{place}.window", rule.window, expected)


def _is_window(window: str) -> bool:
    """Whether it is one that closes later than it opens."""
    try:
        return window.isascii() and due(window, OLDEST, "UTC") > OLDEST
    except ValueError:
        return False


def _one_at_a_time(session: Session) -> None:
    """Whoever changes the rules waits for the others: two halves of a set would else become one set."""
    seeded = select(tables.DeadlineRule.name).where(tables.DeadlineRule.rule_set == RULE_SET)
    session.execute(seeded.with_for_update()).all()


def list_rule_sets(database: Database, after: str | None, limit: int) -> Page[RuleSetRecord]:
    """Rule sets by code."""
    code = tables.DeadlineRule.rule_set
    with database.read() as session:
        sets = page(session, select().group_by(code), [code], after, limit)
        rules = _rules(session, [row.rule_set for row in sets.items])
        return sets.map(lambda row: RuleSetRecord(row.rule_set, tuple(rules[row.rule_set])))


def _rules(session: Session, codes: Sequence[str]) -> dict[str, list[DeadlineRule]]:
    table = tables.DeadlineRule
    rules: defaultdict[str, list[DeadlineRule]] = defaultdict(list)
    for row in session.scalars(select(table).where(table.rule_set.in_(codes)).order_by(table.name)):
        rules[row.rule_set].append(DeadlineRule(row.rule_set, row.name, row.window))
    return rules


def add_rule_assignment(database: Database, record: RuleAssignmentRecord) -> RuleAssignmentRecord:
    """Put a rule set in force from an instant on, which may lie ahead, or behind what was decided before it was typed.

    It rules the doses that arrive from then on and are recorded from now on: deadlines that are written keep their
    due times and the name of their set, also where `effective_from` lies before them.

    Raises:
        Invalid: `not_found` for a set, programme or facility that is not known, `naive_time`, `time_too_old`.
        Conflict: `already_exists` where another set holds for the same from the same instant.
    """
    at = stated("effective_from", record.effective_from, FOREVER - CLOCK_SKEW)  # what is decided today may lie ahead

    def work(session: Session) -> RuleAssignmentRecord:
        _one_at_a_time(session)
        lookups.by_code(session, tables.DeadlineRule.rule_set, record.rule_set, "rule_set")
        if record.programme is not None:
            lookups.by_code(session, Programme.code, record.programme, "programme")
        facility = lookups.facility(session, record.facility) if record.facility is not None else None
        assignment = RuleAssignment(
            id=new_id(),
            rule_set=record.rule_set,
            programme_code=record.programme,
            facility_id=facility.id if facility else None,
            effective_from=at,
        )
        _refuse_ambiguous(session, assignment)
        session.add(assignment)
        return record

    return database.write(work)


def _refuse_ambiguous(session: Session, assignment: RuleAssignment) -> None:
    """Of two sets for the same from the same instant, none would be in force."""
    same = select(RuleAssignment.rule_set).where(
        RuleAssignment.programme_code.is_not_distinct_from(assignment.programme_code),
        RuleAssignment.facility_id.is_not_distinct_from(assignment.facility_id),
        RuleAssignment.effective_from == assignment.effective_from,
    )
    if session.scalars(same).first() is not None:
        at = assignment.effective_from.isoformat()
        expected = N_("an instant from which no other set holds for the same")
        raise Conflict(Code.ALREADY_EXISTS, "effective_from", at, expected)


def list_rule_assignments(database: Database, after: str | None, limit: int) -> Page[RuleAssignmentRecord]:
    """Assignments by the instant from which they hold."""
    query: Any = select(RuleAssignment, Facility.code).outerjoin(Facility, Facility.id == RuleAssignment.facility_id)
    key = [RuleAssignment.effective_from, RuleAssignment.id]
    with database.read() as session:
        return page(session, query, key, after, limit).map(
            lambda row: RuleAssignmentRecord(row[0].rule_set, row[0].effective_from, row[0].programme_code, row[1])
        )
