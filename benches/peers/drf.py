"""djangorestframework-api-key on SQLite: makes keys for so many seconds, one at a time, and writes KEYS of them to FILE.keys; run by
gunicorn it answers whether a bearer key is good.

python drf.py FILE SECONDS KEYS; prints {"created": RATE}. Then: PEER_DB=FILE gunicorn drf:application"""
import json
import os
import sys
import time

import django
from django.conf import settings
from django.db.backends.signals import connection_created

FILE = sys.argv[1] if __name__ == "__main__" else os.environ["PEER_DB"]
settings.configure(
    SECRET_KEY="for a measurement that nobody keeps",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "rest_framework_api_key"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE, "CONN_MAX_AGE": None}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


def durable(connection, **_):
    connection.cursor().execute("PRAGMA journal_mode = WAL; ")
    connection.cursor().execute("PRAGMA synchronous = FULL")


connection_created.connect(durable)

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402


def check(request):
    key = request.headers.get("Authorization", "")[7:]
    return HttpResponse(status=204 if APIKey.objects.is_valid(key) else 401)


urlpatterns = [path("", check)]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    seconds, many = float(sys.argv[2]), int(sys.argv[3])
    keys, began = [], time.monotonic()
    while time.monotonic() - began < seconds:
        keys.append(APIKey.objects.create_key(name="bench")[1])
    print(json.dumps({"created": len(keys) / (time.monotonic() - began)}), flush=True)
    while len(keys) < many:
        keys.append(APIKey.objects.create_key(name="bench")[1])
    with open(FILE + ".keys", "w") as file:
        file.write("\n".join(keys[:many]))
