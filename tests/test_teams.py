"""Teams: the verbs, the commands, and sign-up."""

import uuid
from datetime import UTC, datetime
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import keys, ledger, queries, teams
from accounts.adapter import AccountAdapter
from accounts.credits import MICRO, format_credits, parse
from accounts.models import ApiKey, Balance, Membership, Role, Team, User
from tests.conftest import run_at_once


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "micro", "shown"),
    [
        ("25", 25 * MICRO, "25.00"),
        ("0.0036", 3600, "0.0036"),
        ("24.9964", 24_996_400, "24.9964"),
        ("-1.5", -1_500_000, "-1.50"),
        (" 1e3 ", 1000 * MICRO, "1000.00"),
        ("0.000001", 1, "0.000001"),
        ("0", 0, "0.00"),
    ],
)
def test_credits_are_read_and_written_exactly(text: str, micro: int, shown: str) -> None:
    assert parse(text) == micro
    assert format_credits(micro) == shown
    assert parse(shown) == micro


@pytest.mark.parametrize("text", ["", "ten", "0.0000001", "nan", "inf", "1e300", "9007199255", "1,5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="credits: "):
        parse(text)


def test_email_is_one_however_spelt(db: None) -> None:
    user = User.objects.create_user(" Ann@Example.COM ", "x")
    assert user.email == "ann@example.com"
    assert User.objects.get_by_natural_key("ANN@example.com") == user
    assert teams.find_or_create_user("ANN@EXAMPLE.com") == (user, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ann@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Ann2@example.com")
    with pytest.raises(ValueError, match="email: empty"):
        User.objects.create_user(" ")


def test_operators_are_staff_and_users_are_not(db: None) -> None:
    assert User.objects.create_superuser("op@example.com", "x").is_staff
    assert not User.objects.create_user("u@example.com", "x").is_staff


def test_teams_of_one_name_have_their_own_slugs(owner: User) -> None:
    slugs = [teams.create_team("Café Rosé", owner).slug for _ in range(3)]
    assert slugs[0] == "cafe-rose"
    assert len(set(slugs)) == 3
    assert teams.create_team("…", owner).slug == "team"


def test_the_last_owner_stays(team: Team, owner: User, member: User) -> None:
    owners = Membership.objects.get(user=owner)
    with pytest.raises(teams.LastOwner):
        teams.remove_member(owners)
    with pytest.raises(teams.LastOwner):
        teams.change_role(owners, Role.ADMIN)
    teams.change_role(Membership.objects.get(user=member), Role.OWNER)
    teams.change_role(owners, Role.ADMIN)
    teams.remove_member(owners)
    assert [row.user for row in queries.members(team.pk)] == [member]


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_both_step_down_at_once(team: Team, member: User) -> None:
    teams.change_role(Membership.objects.get(user=member), Role.OWNER)
    places = list(Membership.objects.filter(team=team))

    def step_down(number: int) -> bool:
        try:
            teams.change_role(places[number], Role.MEMBER)
        except teams.LastOwner:
            return False
        return True

    assert sorted(run_at_once(step_down, 2)) == [False, True]


def test_create_team_makes_owner_credits_and_prints_a_password_once(db: None, client: Client) -> None:
    printed = dict(
        line.split(": ", 1)
        for line in run("create_team", "Perfumers", "--owner", "New@Example.com", "--credits", "25").splitlines()
    )
    assert printed["team"] == "perfumers"
    assert printed["credits"] == "25.00"
    user = User.objects.get(email="new@example.com")
    assert user.check_password(printed["password"])
    team = Team.objects.get(slug="perfumers")
    assert ledger.balance(team.pk).available == 25 * MICRO
    assert "password" not in run("create_team", "Second", "--owner", "new@example.com")
    answer = client.post(reverse("account_login"), {"login": "NEW@example.com", "password": printed["password"]})
    assert answer.status_code == 302
    assert int(client.session["_auth_user_id"]) == user.pk


@pytest.mark.parametrize(("option", "value"), [("--credits", "many"), ("--credits", "-1"), ("--owner", "nobody")])
def test_create_team_names_what_is_wrong(db: None, option: str, value: str) -> None:
    options = {"--owner": "a@example.com", "--credits": "1", option: value}
    with pytest.raises(CommandError, match=f"{option}: .*{value}"):
        run("create_team", "T", *(part for pair in options.items() for part in pair))
    assert not Team.objects.exists()


def test_create_api_key_prints_the_key_alone(team: Team, owner: User, member: User, viewer: User) -> None:
    raw = run("create_api_key", team.slug, "--name", "shop")
    actor = keys.authenticate(raw.removesuffix("\n"))
    assert actor is not None
    assert actor.user_id == owner.pk
    narrow = run("create_api_key", team.slug, "--name", "r", "--user", "Member@example.com", "--scope", "read")
    actor = keys.authenticate(narrow.strip())
    assert actor is not None
    assert (actor.user_id, len(actor.rights)) == (member.pk, 2)
    for arguments, message in (
        (["none"], "team: 'none'"),
        ([team.slug, "--user", "x@example.com"], "--user: 'x@example.com'"),
        ([team.slug, "--model", "dall-e"], "--model: dall-e; allowed are .*bg-replace"),
        ([team.slug, "--rate-limit", "0"], "--rate-limit: 0; 1 submit"),
        ([team.slug, "--expires", "soon"], "--expires: 'soon'; a date"),
        ([team.slug, "--expires", "2020-01-01"], "--expires: 2020-01-01T00:00:00Z is over"),
        ([team.slug, "--daily-credits", "0"], "--daily-credits: 0; above 0"),
        ([team.slug, "--monthly-credits", "many"], "--monthly-credits: 'many'; a decimal number"),
        ([team.slug, "--user", viewer.email], "role: viewer"),
    ):
        with pytest.raises(CommandError, match=message):
            run("create_api_key", *arguments, "--name", "n")


def test_create_api_key_takes_every_limit(team: Team) -> None:
    options = ["--scope", "generate", "--scope", "manage", "--model", "bg-replace", "--expires", "2099-01-31"]
    raw = run(
        "create_api_key", team.slug, "--name", "shop", *options,
        "--rate-limit", "60", "--daily-credits", "0.5", "--monthly-credits", "10",
    )  # fmt: skip
    actor = keys.authenticate(raw.strip())
    assert actor is not None
    assert (actor.models, actor.rate_limit, actor.has_budgets) == (("bg-replace",), 60, True)
    row = ApiKey.objects.get()
    assert row.expires_at == datetime(2099, 1, 31, tzinfo=UTC)
    spent = queries.key_spending(team.pk, [row.pk])[row.pk]
    assert (spent.day.limit, spent.month.limit) == (500_000, 10_000_000)


def test_limit_api_key_changes_what_is_named_and_nothing_else(team: Team) -> None:
    raw = run("create_api_key", team.slug, "--name", "shop", "--model", "bg-replace", "--daily-credits", "0.5").strip()

    def limits() -> tuple[object, ...]:
        row = ApiKey.objects.get()
        spent = queries.key_spending(team.pk, [row.pk])[row.pk]
        return row.models, row.rate_limit, spent.day.limit, spent.month.limit

    run("limit_api_key", raw[:11], "--rate-limit", "60", "--monthly-credits", "10")
    assert limits() == (["bg-replace"], 60, 500_000, 10_000_000)
    run("limit_api_key", raw, "--model", "none", "--rate-limit", "none", "--daily-credits", "none")
    assert limits() == ([], None, None, 10_000_000)
    for arguments, message in (
        (["ss_nothing00"], "prefix: 'ss_nothing0'; no key"),
        ([raw, "--model", "dall-e"], "--model: dall-e; allowed are .*bg-replace"),
        ([raw, "--rate-limit", "many"], "--rate-limit: 'many'; a whole number, or none"),
        ([raw, "--daily-credits", "0"], "--daily-credits: 0; above 0"),
    ):
        with pytest.raises(CommandError, match=message):
            run("limit_api_key", *arguments)
    keys.revoke(ApiKey.objects.get())
    with pytest.raises(CommandError, match="no key that is in force"):
        run("limit_api_key", raw)


def test_grant_credits(team: Team) -> None:
    assert run("grant_credits", team.slug, "2.5", "--note", "October") == "granted: 2.50\navailable: 27.50\n"
    entry = queries.statement(team.pk).rows[0]
    assert (entry.posted, entry.note) == (2_500_000, "October")
    for arguments, message in (
        (["none", "1"], "team: 'none'"),
        ([team.slug, "0"], "amount: 0; above 0 is allowed"),
        ([team.slug, "--", "-1"], "amount: -1; above 0 is allowed"),
        ([team.slug, "ten"], "amount: 'ten'; a decimal number"),
    ):
        with pytest.raises(CommandError, match=message):
            run("grant_credits", *arguments)
    assert ledger.balance(team.pk).available == 27_500_000


def test_people_come_and_go_by_command(team: Team, owner: User, client: Client) -> None:
    added = dict(line.split(": ", 1) for line in run("add_member", team.slug, "New@Example.com").splitlines())
    user = User.objects.get(email="new@example.com")
    assert user.check_password(added["password"])
    place = Membership.objects.get(team=team, user=user)
    assert place.role == added["role"] == Role.MEMBER
    raw = keys.create(place, name="shop")[1]
    with pytest.raises(CommandError, match=r"'NEW@example\.com'; is in the team"):
        run("add_member", team.slug, "NEW@example.com")
    assert run("remove_member", team.slug, "NEW@example.com") == "removed: new@example.com\n"
    assert keys.authenticate(raw) is None
    again = run("add_member", team.slug, "new@example.com", "--role", "owner")
    assert "password" not in again
    assert run("remove_member", team.slug, owner.email)
    assert [row.user for row in queries.members(team.pk)] == [user]


def test_member_commands_name_what_is_wrong(team: Team, owner: User) -> None:
    for arguments, message in (
        (["add_member", "none", "a@example.com"], "team: 'none'"),
        (["add_member", team.slug, "nobody"], "email: 'nobody'; an e-mail address"),
        (["remove_member", team.slug, "a@example.com"], "email: 'a@example.com'; nobody in the team"),
        (["remove_member", team.slug, owner.email], "make another first: add_member"),
    ):
        with pytest.raises(CommandError, match=message):
            run(*arguments)
    assert User.objects.count() == 1


def test_operators_come_and_go_by_command(owner: User) -> None:
    assert run("add_operator", owner.email) == f"operator: {owner.email}\n"
    added = dict(line.split(": ", 1) for line in run("add_operator", "New@Example.com").splitlines())
    new = User.objects.get(email="new@example.com", is_staff=True)
    assert new.check_password(added["password"])
    assert not Membership.objects.filter(user=new).exists()
    assert run("remove_operator", "NEW@example.com") == "removed: new@example.com\n"
    assert list(User.objects.filter(is_staff=True)) == [owner]
    with pytest.raises(CommandError, match=r"email: 'new@example\.com'; no operator has that address"):
        run("remove_operator", "new@example.com")


def test_ledger_check_says_where_the_books_differ(team: Team) -> None:
    assert run("ledger_check") == "the books balance\n"
    Balance.objects.update(posted=1)
    out = StringIO()
    with pytest.raises(CommandError, match="1 differences") as caught:
        call_command("ledger_check", stdout=out)
    assert caught.value.returncode == 1
    assert f"team {team.pk}: expected (25000000, 0), found (1, 0)" in out.getvalue()


def test_the_statement_pages_by_cursor(team: Team, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(4):
        ledger.adjust(team.pk, number + 1, reference=uuid.uuid4(), note=str(number))
    with django_assert_num_queries(1):
        first = queries.statement(team.pk, limit=3)
    rest = queries.statement(team.pk, before=first.before, limit=3)
    assert [row.posted for row in first.rows + rest.rows] == [4, 3, 2, 1, 25 * MICRO]
    assert rest.before is None


def signed_up(email: str = "new@example.com") -> EmailAddress:
    user = User.objects.create_user(email, "x")
    return EmailAddress.objects.create(user=user, email=email, primary=True)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> AccountAdapter:
    monkeypatch.setattr(AccountAdapter, "add_message", lambda *args, **options: None)
    return AccountAdapter()


def test_a_verified_address_gets_a_team_with_credits_once(
    db: None, settings: Settings, rf: RequestFactory, adapter: AccountAdapter
) -> None:
    settings.SIGNUP, settings.SIGNUP_CREDITS = "open", "2.5"
    address = signed_up()
    assert not Team.objects.exists()
    assert adapter.confirm_email(rf.get("/"), address)
    (place,) = queries.memberships(address.user)
    assert (place.team.name, place.role) == ("new", Role.OWNER)
    assert ledger.balance(place.team_id).available == 2_500_000
    assert teams.welcome(address.user) is None
    place.delete()
    again = teams.welcome(address.user)
    assert again is not None
    assert ledger.balance(again.pk).available == 0


def test_a_closed_installation_gives_no_teams(
    db: None, settings: Settings, rf: RequestFactory, adapter: AccountAdapter
) -> None:
    settings.SIGNUP = "closed"
    assert adapter.confirm_email(rf.get("/"), signed_up())
    assert not Team.objects.exists()
    assert not adapter.is_open_for_signup(rf.get("/"))
    settings.SIGNUP = "open"
    assert adapter.is_open_for_signup(rf.get("/"))


def test_the_operator_says_which_engines_serve_a_team(team: Team) -> None:
    assert run("team_engines", team.slug) == f"{team.slug}: engines any; fall-back for keys: no\n"
    said = run("team_engines", team.slug, "--only", "classical", "--fallback", "yes")
    assert said == f"{team.slug}: engines classical; fall-back for keys: yes\n"
    team.refresh_from_db()
    assert (team.engines, team.allow_fallback) == (["classical"], True)
    assert run("team_engines", team.slug, "--any") == f"{team.slug}: engines any; fall-back for keys: yes\n"
    with pytest.raises(CommandError, match="'nope'; the engines are classical"):
        run("team_engines", team.slug, "--only", "nope")
