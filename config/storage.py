"""STORAGE_URL → the options of django-storages: s3://KEY:SECRET@HOST:PORT/BUCKET?region=…&tls=0, or s3:///BUCKET with
credentials from the environment or the machine's role."""

from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_ENCODE = "ports are 1 to 65535, and / : @ in a key or secret are written %2F %3A %40"
_PARAMETERS = {"region", "prefix", "tls"}


def s3_options(url: str) -> dict[str, object]:
    """Return the OPTIONS of `storages.backends.s3.S3Storage` for `url`.

    HOST names an S3-compatible server; without it it is Amazon's. `region`, `prefix` (a folder in the bucket) and
    `tls` (0: plain http to HOST) may be given. Raises ImproperlyConfigured, which names what is wrong.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # its text would repeat part of a secret with a slash in it
        raise ImproperlyConfigured(f"STORAGE_URL: host or port cannot be read; {_ENCODE}") from None
    query = dict(parse_qsl(parts.query))
    bucket, _, rest = parts.path.strip("/").partition("/")
    if parts.scheme != "s3" or not bucket or rest:
        raise ImproperlyConfigured("STORAGE_URL: expected s3://KEY:SECRET@HOST:PORT/BUCKET or s3:///BUCKET")
    if unknown := query.keys() - _PARAMETERS:
        raise ImproperlyConfigured(f"STORAGE_URL: unknown {sorted(unknown)}; allowed are {sorted(_PARAMETERS)}")
    options: dict[str, object] = {
        "bucket_name": bucket,
        "location": query.get("prefix", ""),
        "default_acl": None,
        "querystring_auth": True,
        "file_overwrite": False,
        "signature_version": "s3v4",
    }
    if region := query.get("region"):
        options["region_name"] = region
    if parts.username:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password or "")}
    if parts.hostname:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        scheme = "http" if query.get("tls") == "0" else "https"
        options |= {"endpoint_url": f"{scheme}://{host}{port}", "addressing_style": "path"}
    return options
