"""`python -m config.clock`, Celery's beat: it sends the names of tasks, and needs neither models nor the tasks."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import queues

app = Celery("sceneshift-clock", fixups=[], set_as_current=False)
queues.configure(app)

if __name__ == "__main__":
    settings.RUN_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.Beat(schedule=str(settings.RUN_DIR / "beat")).run()
