"""The Celery application of the web and the workers."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import heartbeat, queues

app = Celery("sceneshift")
queues.configure(app)
app.steps["consumer"].add(heartbeat.Heartbeat)
app.autodiscover_tasks(["generations"])
