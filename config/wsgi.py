"""What gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# Loaded once before gunicorn forks; each process would load them again at its first request otherwise.
from generations import routing  # noqa: E402  models can only be imported now

get_resolver().url_patterns  # noqa: B018  a property that loads
routing.queues()

# What is loaded now stays: collections need not look at it again, and forked processes go on sharing its memory.
gc.collect()
gc.freeze()
