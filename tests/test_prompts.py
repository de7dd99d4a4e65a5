"""Search over prompts: each of its steps gives what looking at every row would, and the rows follow the generations."""

import itertools
import random
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Team, User
from generations import execution, prompt_index, prompts
from generations.models import Attempt, Generation, Prompt
from generations.models.generation import Door, Status
from tests.jobs import Submit

pytestmark = pytest.mark.django_db

Make = Callable[..., list[Generation]]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = ("Beach", "forest", "beacon", "a", "ox", "50%", "under_score", 'quo"te', "AND", "back\\slash", "NEAR(x", "*")


@pytest.fixture
def make(team: Team, owner: User) -> Make:
    """Return a function that writes a succeeded generation for each prompt, three in a second."""

    def do(texts: Sequence[str], *, of: Team = team, **more: Any) -> list[Generation]:
        facts = {"model": "bg-replace", "status": Status.SUCCEEDED, **more}
        return Generation.objects.bulk_create(
            Generation(
                team=of,
                user=owner,
                door=Door.WEB,
                params={"prompt": text},
                seed=1,
                estimate=1,
                quote=2,
                created_at=NOON + timedelta(seconds=number // 3),
                **facts,
            )
            for number, text in enumerate(texts)
        )

    return do


def find(team: Team, *words: str, limit: int = 50, **more: Any) -> list[uuid.UUID]:
    model = more.pop("model", "")
    return prompts.find(prompts.Query(team.pk, words, model), limit, **more)


def place(row: Generation) -> prompts.Place:
    return row.created_at, row.id


# NEAR, FEW: the newest rows do alone; the index gives all the rest; the index has too many; and with every limit.
@pytest.mark.parametrize(("near", "few"), [(1000, 1), (3, 1000), (3, 2), (1, 1)])
@pytest.mark.parametrize("is_indexed", [True, False])
def test_every_step_finds_what_looking_at_every_row_finds(
    team: Team, outsider: User, make: Make, monkeypatch: pytest.MonkeyPatch, near: int, few: int, is_indexed: bool
) -> None:
    monkeypatch.setattr(prompts, "NEAR", near)
    monkeypatch.setattr(prompts, "FEW", few)
    if not is_indexed and connection.vendor == "postgresql":
        prompt_index.drop(connection)
    chosen = random.Random(near * 10 + few)
    texts = [" ".join(chosen.sample(WORDS, 3)) for _ in range(40)]
    rows = make(texts[:30]) + make(texts[30:], model="sdxl-inpaint")
    make(texts, of=outsider.memberships.get().team)
    make(texts, status=Status.FAILED)
    rows.sort(key=lambda row: (row.created_at, row.id.hex))
    searches = [(word,) for word in (*WORDS, "bea", "O", "%", "_", "zebra")] + list(itertools.combinations(WORDS, 2))
    for words, model, middle in itertools.product(searches, ("", "sdxl-inpaint"), (None, rows[20])):
        wanted = [
            row
            for row in rows
            if all(word.lower() in row.params["prompt"].lower() for word in words) and model in ("", row.model)
        ]
        older = [row.id for row in wanted if middle is None or place(row) < place(middle)][::-1]
        newer = [row.id for row in wanted if middle is None or place(row) > place(middle)]
        beyond = place(middle) if middle else None
        for limit in (1, 4, 50):
            assert find(team, *words, model=model, beyond=beyond, limit=limit) == older[:limit]
            assert find(team, *words, model=model, beyond=beyond, limit=limit, oldest_first=True) == newer[:limit]


def test_capitals_beyond_ascii_are_alike_on_postgresql(team: Team, make: Make) -> None:
    (row,) = make(["Ein ÖLGEMÄLDE"])
    found = find(team, "ölgemälde")
    assert found == ([row.id] if connection.vendor == "postgresql" else [])  # SQLite folds ASCII only


def test_a_prompt_follows_its_generation(team: Team, make: Make) -> None:
    (row,) = make(["a beach"], status=Status.QUEUED)
    assert find(team, "beach") == []
    for status, found in ((Status.RUNNING, []), (Status.SUCCEEDED, [row.id])):
        Generation.objects.filter(id=row.id).update(status=status)
        assert find(team, "beach") == found
    Generation.objects.filter(id=row.id).update(status=Status.SUCCEEDED, progress=1.0)
    assert Prompt.objects.count() == 1
    row.delete()
    assert find(team, "beach") == []


def test_a_removed_run_is_found_by_nobody_until_it_is_restored(team: Team, make: Make) -> None:
    beach, _ = [*make(["a beach"]), *make(["a beach"], status=Status.FAILED)]
    for _ in range(2):
        Generation.objects.update(removed_at=NOON)
        assert find(team, "beach") == []
        Generation.objects.update(removed_at=NOON + timedelta(seconds=1))
        assert find(team, "beach") == []
        Generation.objects.update(removed_at=None)
        assert find(team, "beach") == [beach.id]


def test_a_delivered_run_is_found(team: Team, submit: Submit, unpublished: list[int]) -> None:
    run = submit("a Beach at dawn")
    assert find(team, "beach") == []
    execution.run(Attempt.objects.get(generation=run).id)
    assert find(team, "dawn", "beach") == [run.id]


def test_a_generation_without_a_prompt_is_found_by_none(team: Team, make: Make) -> None:
    (row,) = make([""])
    Generation.objects.create(
        **{field: getattr(row, field) for field in ("team", "user", "door", "model", "seed", "estimate", "quote")},
        params={},
        status=Status.SUCCEEDED,
        created_at=NOON,
    )
    assert [prompt.text for prompt in Prompt.objects.all()] == ["", ""]
    assert find(team, "None") == []


def test_a_search_may_have_a_hundred_words_and_a_thousand_trigrams(
    team: Team, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "NEAR", 1)
    text = "".join(chr(0x4E00 + number) for number in range(1000))
    words = [f"w{number}" for number in range(100)]
    rows = make([text, " ".join(words)] * 2)
    assert set(find(team, text)) == {rows[0].id, rows[2].id}
    assert set(find(team, *words)) == {rows[1].id, rows[3].id}


def test_the_index_of_sqlite_forgets_what_is_deleted(team: Team, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "NEAR", 1)
    make(["a beach"] * 3)
    Generation.objects.all().delete()
    rows = make(["a forest"] * 3)
    assert find(team, "beach") == []
    assert set(find(team, "forest")) == {row.id for row in rows}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {prompt_index.TABLE} ({prompt_index.TABLE}, rank) VALUES ('integrity-check', 1)"
            )


@pytest.mark.django_db(transaction=True)
def test_the_migration_takes_in_what_is_there(team: Team, make: Make) -> None:
    row, _ = [*make(["a beach"]), *make(["a beach"], status=Status.FAILED)]
    call_command("migrate", "generations", "0005", verbosity=0)
    call_command("migrate", "generations", verbosity=0)
    assert find(team, "Beach") == [row.id]
    (later,) = make(["a forest"])
    assert find(team, "forest") == [later.id]


def _index_is_there() -> bool:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "generations_prompt")
    return prompt_index.NAME in constraints


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite brings its own")
def test_without_the_extensions_there_is_a_word_of_advice_and_a_command(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prompt_index.drop(connection)
    with monkeypatch.context() as patched:
        patched.setattr(prompt_index, "EXTENSIONS", ("no_such_extension",))
        with pytest.raises(CommandError, match="no_such_extension"):
            call_command("index_prompts")
    assert "manage.py index_prompts" in caplog.text
    assert not _index_is_there()
    call_command("index_prompts")
    assert _index_is_there()
