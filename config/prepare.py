"""`python -m config.prepare`: bring database and static files to where the code wants them."""

import os
import sys
from socket import gethostname

import django
from django.core.management import BaseCommand, call_command
from django.core.management.base import SystemCheckError
from django.db import Error, connection


def main() -> None:
    """Migrate, collect, make the demo team on the embedded database. Exits with one line where that fails."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    connection.settings_dict["OPTIONS"].pop("pool", None)  # it would wait long before it says what is wrong
    try:
        BaseCommand().check()
        _database()
    except SystemCheckError as error:
        sys.exit(str(error))
    except Error as error:
        sys.exit(f"the database ({connection.vendor}) cannot be used: {' '.join(str(error).split())}")
    if "--static" in sys.argv:
        call_command("collectstatic", verbosity=0, interactive=False)


def _database() -> None:
    from config import demo  # models can only be imported now
    from generations.models import Heartbeat

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    Heartbeat.objects.filter(worker__contains=f"@{gethostname()}/").delete()  # of workers that ended without notice
    if connection.vendor == "sqlite":
        demo.create_once()


if __name__ == "__main__":
    main()
