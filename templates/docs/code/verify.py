import base64
import hashlib
import hmac
import time


def verify(secret, headers, body, now=None):
    """Return whether a delivery is ours and fresh. secret: "whsec_…"; body: its bytes, as they came."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    is_fresh = abs((now or time.time()) - int(headers["webhook-timestamp"])) < 300
    given = headers["webhook-signature"].split()
    return is_fresh and any(hmac.compare_digest(expected, each) for each in given)
