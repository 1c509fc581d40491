"""Makes drf.sqlite and drf.keys with djangorestframework-api-key itself, in the folder of this file.

    pip install djangorestframework-api-key django djangorestframework
    python3 tests/import/drf.py
"""
import datetime
import json
import pathlib

import django
from django.conf import settings

here = pathlib.Path(__file__).parent
database = here / "drf.sqlite"
database.unlink(missing_ok=True)
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database)}},
    INSTALLED_APPS=["rest_framework_api_key"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402

call_command("migrate", verbosity=0)
keys = {}
later = datetime.datetime(2099, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
for name, fields in [
    ("Billing", {}),
    ("Reports", {"expiry_date": later}),
    ("Closed", {"revoked": True}),
]:
    record, key = APIKey.objects.create_key(name=name, **fields)
    keys[name] = key
with open(here / "drf.json", "w") as out:
    call_command("dumpdata", "rest_framework_api_key", indent=1, stdout=out)
(here / "drf.keys").write_text(json.dumps(keys, indent=1) + "\n")
