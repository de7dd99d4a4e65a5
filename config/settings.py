"""Every setting, read from the environment; with none set, one machine needs nothing else.

README.md, "Settings", lists the variables for people; this file is where they take effect.
"""

import os
from pathlib import Path
from typing import Any

from config import engines, secret_key
from config.environment import Environment
from generations.catalogue import MODELS

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- where things are ---------------------------------------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
if DATA_DIR == BASE_DIR / "data" and DATA_DIR.stat().st_mode & 0o077 and DATA_DIR.stat().st_uid == os.getuid():
    DATA_DIR.chmod(0o700)  # another one's mode is its owner's choice
HOST = env.str("HOST", "127.0.0.1")
PORT = env.port("PORT", 8000)
_public = env.origin("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
PUBLIC_URL = _public.geturl()

# --- Django -------------------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", "") or secret_key.kept(DATA_DIR / "secret_key")
DEBUG = env.bool("DEBUG", False)
_public_host = f"[{_public.hostname}]" if ":" in str(_public.hostname) else str(_public.hostname)
_is_loopback = _public_host in {"127.0.0.1", "localhost", "[::1]"}
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"] if _is_loopback else [_public_host, "127.0.0.1"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

INSTALLED_APPS = [
    "accounts",
    "generations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "rest_framework",
]

MIDDLEWARE = [
    "config.requests.RequestIdMiddleware",
    "config.requests.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.caching.PageCachingMiddleware",
    "config.requests.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.views.context.team",
                "generations.views.context.engines",
            ],
        },
    },
]

# --- database, cache, broker --------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", "")
_EMBEDDED = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "sceneshift.sqlite3")}
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL") or dict(_EMBEDDED)}
if DATABASES["default"]["ENGINE"] == _EMBEDDED["ENGINE"]:
    DATABASES["default"]["ENGINE"] = "config.embedded_sqlite3"
    DATABASES["default"]["OPTIONS"] = {
        "pool": True,
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4000;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["ENGINE"] = "config.pooled_postgresql"
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 2  # config.prepared; Django's own never are
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 0,
        "max_size": env.whole("DATABASE_POOL", 16),
        "timeout": 10,
    }

# Never on Redis: only the limits on signing in are kept here, and people sign in while it is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # fewer, and strangers could push each other's failures out
    }
}

# Without a broker the workers share a folder; config/broker.py says what had to be mended for that.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL) or "filesystem://localhost"
BROKER_DIR = DATA_DIR / "broker"
RUN_DIR = DATA_DIR / "run"

# --- files --------------------------------------------------------------------------------------------------

STORAGE_URL = env.str("STORAGE_URL", "")
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "config.static_files.StaticFiles"},
}
if STORAGE_URL:
    from config.storage import s3_options

    STORAGES["default"] = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": s3_options(STORAGE_URL)}

# --- people -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SIGNUP = env.choice("SIGNUP", "closed", "open")
SIGNUP_CREDITS = env.amount("SIGNUP_CREDITS", "0")
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if SIGNUP == "open" else "optional"

# --- mail ---------------------------------------------------------------------------------------------------

if env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
else:  # in files, because the log of the web is no place for links that reset a password
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
    EMAIL_FILE_PATH.mkdir(mode=0o700, exist_ok=True)
EMAIL_TIMEOUT = 10
_mail_host = "localhost" if _is_loopback else _public_host.replace("[", "[IPv6:")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", f"Sceneshift <no-reply@{_mail_host}>")
EMAIL_SUBJECT_PREFIX = ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Sceneshift] "

# --- web security -------------------------------------------------------------------------------------------

_is_https = _public.scheme == "https"
_is_behind_proxy = env.bool("BEHIND_PROXY", _is_https)
SECURE_SSL_REDIRECT = False  # the proxy that ends TLS does this; a redirect would count as success for API clients
# That it is off; and that HSTS says nothing of the domain's other hosts, which are not ours to decide on.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_behind_proxy else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(_is_behind_proxy)  # sign-in is limited per address of a person, not of the proxy
SECURE_HSTS_SECONDS = env.whole("HSTS_SECONDS", 3600 if _is_https else 0, least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("HSTS_SUBDOMAINS", False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES = 25 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES  # pictures are read whole anyway; a temporary file would be a second copy
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "generations.api.described.Described",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "SORT_OPERATIONS": False,  # in the order of the URL configuration
    "PREPROCESSING_HOOKS": ["generations.api.schema.expand"],
    "POSTPROCESSING_HOOKS": ["generations.api.schema.finish"],
}

# --- jobs ---------------------------------------------------------------------------------------------------

JOB_DEADLINE = env.whole("JOB_DEADLINE", 900)  # seconds from submit until a job that has not ended is ended
V1_DEADLINE = env.whole("V1_DEADLINE", 180)  # seconds that a blocking answer waits; the job goes on
LEASE_SECONDS = env.whole("LEASE_SECONDS", 60)
LEASE_RENEWAL = env.whole("LEASE_RENEWAL", 15)
RECONCILE_EVERY = env.whole("RECONCILE_EVERY", 5)
REPUBLISH_AFTER = env.whole("REPUBLISH_AFTER", 15)  # seconds; doubles each time, so that a long queue is not flooded
TEAM_JOBS_IN_FLIGHT = env.whole("TEAM_JOBS_IN_FLIGHT", 1000)
TEAM_FETCHES_IN_FLIGHT = env.whole("TEAM_FETCHES_IN_FLIGHT", 2)
RATE_LIMIT = env.whole("RATE_LIMIT", 1000, least=0)  # submits per key and minute; 0 = none
LINK_SECONDS = env.whole("LINK_SECONDS", 600, most=600)
UPLOAD_SECONDS = env.whole("UPLOAD_SECONDS", 86400)
REMOVED_KEPT_SECONDS = env.whole("REMOVED_KEPT_SECONDS", 86400, least=0)  # a removed run can be restored
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])  # host:port of private targets of inputs and webhooks
WEBHOOK_SECONDS = env.whole("WEBHOOK_SECONDS", 15, most=60)  # that a receiver has to take an event
TEAM_WEBHOOKS_IN_FLIGHT = env.whole("TEAM_WEBHOOKS_IN_FLIGHT", 4)  # being sent at a time, all workers together
WEBHOOK_KEPT_DAYS = env.whole("WEBHOOK_KEPT_DAYS", 30, most=36500)  # from its end a delivery is listed, with its bodies

SEGMIND_API_KEY = env.str("SEGMIND_API_KEY", "").strip()
_HOSTED = engines.segmind(
    SEGMIND_API_KEY,
    {
        "base_url": env.origin("SEGMIND_BASE_URL", "https://api.segmind.com").geturl(),
        "markup": env.number("SEGMIND_MARKUP", 1.0),  # charged: the upstream's own price × this
        "jobs": env.whole("SEGMIND_JOBS", 64),  # in hand at a time, all workers together
        "submits": env.whole("SEGMIND_SUBMITS", 5),  # being handed over at a time
        "per_second": env.number("SEGMIND_PER_SECOND", 0.0),  # submits; 0 = as many as there are
        "low_balance": env.number("SEGMIND_LOW_BALANCE", 5.0),  # credits upstream, under which the operator is warned
    },
)
ENGINES = engines.engines(env.json("ENGINES", default={}), _HOSTED)
ROUTES = engines.routes(env.json("ROUTES", default={}), MODELS, ENGINES)

# --- processes that `make run` starts -----------------------------------------------------------------------

_cores = os.cpu_count() or 1
WEB_PROCESSES = env.whole("WEB_PROCESSES", min(2, _cores))
WEB_THREADS = env.whole("WEB_THREADS", 64)  # a process; a blocked v1 call holds one
NETWORK_PROCESSES = env.whole("NETWORK_PROCESSES", 1)  # one does what two cores can; each keeps its own in hand
NETWORK_THREADS = env.whole("NETWORK_THREADS", 32)  # a process; a job that waits for an upstream holds none
WEBHOOK_THREADS = env.whole("WEBHOOK_THREADS", 16)
COMPUTE_PROCESSES = env.whole("COMPUTE_PROCESSES", min(2, _cores))
COMPUTE_MEMORY_MIB = env.whole("COMPUTE_MEMORY_MIB", 1500)  # a computing process that has grown over it is replaced

# --- logging ------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "config.requests.RequestIdFilter"},
        "not_ready": {"()": "config.requests.NotReadyFilter"},
    },
    "formatters": {
        "line": {
            "()": "config.requests.LineFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        # The access log has every answer; errors come with their traceback.
        "django.request": {"level": "ERROR", "filters": ["not_ready"]},
        "celery.worker.strategy": {"level": "WARNING"},  # a line per message received …
        "celery.app.trace": {"level": "WARNING"},  # … and one per task that succeeded
        "celery.beat": {"level": "WARNING"},
    },
}
