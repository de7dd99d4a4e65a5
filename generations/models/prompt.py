"""What the gallery's search reads."""

from django.db import models


class Prompt(models.Model):
    """The prompt of a generation that has succeeded, in a narrow row of its own, with what a search narrows by.

    Triggers of the database write it (migration 0002_prompt), whoever writes the generation, and keep the index over
    its words: trigrams in a GIN index on PostgreSQL, where the text is in lower case, in an FTS5 table on SQLite.
    """

    generation = models.OneToOneField("generations.Generation", on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    model = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["team", "created_at", "generation"], name="prompt_newest"),
            models.Index(fields=["team", "model", "created_at", "generation"], name="prompt_by_model"),
        ]
