"""The rules as data: storage profiles with their limits, and sets of deadline rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.budgets import Budget
from inventory.domain.deadlines import RuleName
from inventory.domain.limits import ExcursionRule as Limit
from inventory.domain.profiles import BUDGETS
from inventory.domain.profiles import EXCURSION_RULES as EXCURSION_RULES
from inventory.domain.profiles import PROFILES as PROFILES
from inventory.domain.words import Policy
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import (
    DeadlineRule,
    ExcursionRule,
    ExposureBudget,
    Facility,
    Programme,
    RuleAssignment,
    StorageProfile,
)

RULE_SET = "double-24"
"""In force where no assignment says otherwise."""

DEADLINE_RULES = (
    deadlines.DeadlineRule("double-24", RuleName.DELIVER, "PT24H"),
    deadlines.DeadlineRule("double-24", RuleName.USE, "PT24H"),
    # 到货不隔夜, 第二天清零: nothing stays overnight at the county, sites are at zero by the end of the next day.
    deadlines.DeadlineRule("no-overnight", RuleName.FORWARD, "same-day"),
    deadlines.DeadlineRule("no-overnight", RuleName.USE, "next-day-end"),
)

PROGRAMME = "routine"
"""The programme of a product that names none."""


def seed(database: Database) -> None:
    """Write the rules that come with Coldtrail; those that are there already stay as they are."""

    def work(session: Session) -> None:
        for code, (low, high) in PROFILES.items():
            add_profile(session, code, low, high, EXCURSION_RULES[code], BUDGETS.get(code, ()))
        rows = [{"rule_set": rule.rule_set, "name": rule.name, "window": rule.window} for rule in DEADLINE_RULES]
        insert_new(session, DeadlineRule, rows)
        routine = {"name": "Routine immunisation", "on_missed": Policy.FLAG, "on_exposure": Policy.ASK}
        insert_new(session, Programme, [{"code": PROGRAMME, **routine}])

    database.write(work)


def add_profile(
    session: Session, code: str, low: int, high: int, rules: Sequence[Limit], budgets: Sequence[Budget] = ()
) -> None:
    """Write a storage profile, its limits and its budgets, unless they are there; temperatures in hundredths.

    Raises:
        ValueError: a window that is shorter than its duration can never be full.
    """
    if short := [rule.name for rule in rules if rule.window is not None and rule.window < rule.duration]:
        raise ValueError(f"windows of {short} in {code} are shorter than their durations")
    insert_new(session, StorageProfile, [{"code": code, "low": low, "high": high}])
    insert_new(session, ExcursionRule, [_rule_row(code, rule) for rule in rules])
    insert_new(session, ExposureBudget, [_budget_row(code, budget) for budget in budgets])


def _rule_row(profile: str, rule: Limit) -> dict[str, object]:
    return {
        "profile_code": profile,
        "name": rule.name,
        "side": rule.side,
        "threshold": rule.threshold,
        "inclusive": rule.inclusive,
        "duration_seconds": int(rule.duration.total_seconds()),
        "window_seconds": None if rule.window is None else int(rule.window.total_seconds()),
    }


def _budget_row(profile: str, budget: Budget) -> dict[str, object]:
    allowed = int(budget.allowed.total_seconds())
    figures = {"low": budget.low, "high": budget.high, "allowed_seconds": allowed}
    return {"profile_code": profile, "name": budget.name, **figures}


def deadline_rules(session: Session, programme: str, facility: Facility, at: datetime) -> list[deadlines.DeadlineRule]:
    """The rules of the set that is in force for a programme at a facility at an instant."""
    found = session.scalars(
        select(DeadlineRule).where(DeadlineRule.rule_set == _set_in_force(session, programme, facility, at))
    )
    return [deadlines.DeadlineRule(row.rule_set, row.name, row.window) for row in found]


def _set_in_force(session: Session, programme: str, facility: Facility, at: datetime) -> str:
    """The nearest assignment up the line of supply; there the programme's own before one for all, the latest last."""
    line = line_of_supply(session, facility)
    query = select(RuleAssignment).where(
        RuleAssignment.effective_from <= at,
        or_(RuleAssignment.programme_code.is_(None), RuleAssignment.programme_code == programme),
        or_(RuleAssignment.facility_id.is_(None), RuleAssignment.facility_id.in_(line)),
    )

    def weight(row: RuleAssignment) -> tuple[int, bool, datetime]:
        nearness = -line.index(row.facility_id) if row.facility_id else -len(line)
        return nearness, row.programme_code is not None, row.effective_from

    assignments = session.scalars(query).all()
    return max(assignments, key=weight).rule_set if assignments else RULE_SET


def line_of_supply(session: Session, facility: Facility) -> list[UUID]:
    """A facility and those above it, itself first."""
    line = [facility.id]
    above = facility.supplied_by_id
    while above is not None and above not in line:
        line.append(above)
        above = session.get_one(Facility, above).supplied_by_id
    return line


def excursion_rules(session: Session, profile: str) -> list[Limit]:
    """The limits of a storage profile."""
    return [
        limit_of(row) for row in session.scalars(select(ExcursionRule).where(ExcursionRule.profile_code == profile))
    ]


def limit_of(row: ExcursionRule) -> Limit:
    """A stored limit for the domain."""
    duration = timedelta(seconds=row.duration_seconds)
    window = None if row.window_seconds is None else timedelta(seconds=row.window_seconds)
    return Limit(row.name, row.side, row.threshold, row.inclusive, duration, window)
