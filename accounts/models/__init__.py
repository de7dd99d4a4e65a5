"""The rows of accounts, one file a noun."""

from accounts.models.budget import Budget, BudgetPeriod, Span, Subject
from accounts.models.key import ApiKey
from accounts.models.ledger import Balance, Entry, Kind
from accounts.models.limit import RateWindow
from accounts.models.team import Membership, Role, Team
from accounts.models.usage import UsageDay
from accounts.models.user import User

__all__ = [
    "ApiKey",
    "Balance",
    "Budget",
    "BudgetPeriod",
    "Entry",
    "Kind",
    "Membership",
    "RateWindow",
    "Role",
    "Span",
    "Subject",
    "Team",
    "UsageDay",
    "User",
]
