"""What is done with teams and the people in them."""

import secrets
import uuid

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from accounts import budgets, ledger
from accounts.credits import parse
from accounts.models import Balance, Membership, Role, Team, User
from accounts.models.user import normalise_email

_SIGNUP = uuid.UUID("6b1f1b3c-7a55-4d0e-9b7e-2f4a4c7a9d10")
"""names the references of sign-up grants, so that one person is given them once"""


class LastOwner(Exception):
    """A team keeps at least one owner."""


def create_team(name: str, owner: User, *, credits: int = 0) -> Team:
    """Make a team with its owner, a balance, and a grant of `credits` millionths if above 0."""
    with transaction.atomic():
        team = Team.objects.create(name=name, slug=_free_slug(name))
        Membership.objects.create(team=team, user=owner, role=Role.OWNER)
        Balance.objects.create(team=team)
        if credits:
            ledger.grant(team.pk, credits, reference=uuid.uuid4(), note="Opening credits")
    return team


def find_or_create_user(email: str) -> tuple[User, str | None]:
    """The user of an address, and the password made for them; None where there was such a user.

    For operators: the address counts as verified.
    """
    address = normalise_email(email)
    existing = User.objects.filter(email=address).first()
    if existing:
        return existing, None
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        user = User.objects.create_user(address, password)
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user, password


def welcome(user: User) -> Team | None:
    """Give someone whose address is verified a team of their own with SIGNUP_CREDITS, unless they are in one.

    However often it runs, and even after they left that team, one person is given the credits once.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Membership.objects.filter(user=user).exists():
            return None
        team = create_team(user.name or user.email.partition("@")[0], user)
        _grant_once(team, user, parse(settings.SIGNUP_CREDITS))
    return team


def add_member(team: Team, user: User, role: Role) -> Membership:
    """Put a user in a team; IntegrityError where they are in it."""
    return Membership.objects.create(team=team, user=user, role=role)


def change_role(membership: Membership, role: Role) -> None:
    """Raise LastOwner where the team would be left without one."""
    with transaction.atomic():
        if role != Role.OWNER:
            _require_other_owner(membership)
        membership.role = role
        membership.save(update_fields=["role"])


def remove_member(membership: Membership) -> None:
    """Take someone out of a team, and their API keys with them; raise LastOwner as change_role does."""
    with transaction.atomic():
        _require_other_owner(membership)
        budgets.forget(list(membership.keys.all()))
        membership.delete()


def _require_other_owner(membership: Membership) -> None:
    """The owners' rows are locked, or two of them could step down at once."""
    owners = Membership.objects.select_for_update().filter(team_id=membership.team_id, role=Role.OWNER)
    if {row.pk for row in owners} == {membership.pk}:
        raise LastOwner(f"team: {membership.team_id}; its last owner can neither leave nor step down")


def _grant_once(team: Team, user: User, credits: int) -> None:
    if not credits:
        return
    reference = uuid.uuid5(_SIGNUP, str(user.pk))
    try:
        ledger.grant(team.pk, credits, reference=reference, note="Sign-up credits", user_id=user.pk)
    except ledger.AlreadyBooked:
        return


def _free_slug(name: str) -> str:
    """The name's slug, with a few random characters where it is taken."""
    slug = slugify(name)[:50] or "team"
    return f"{slug}-{secrets.token_hex(4)}" if Team.objects.filter(slug=slug).exists() else slug
