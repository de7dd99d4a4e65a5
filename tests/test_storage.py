"""STORAGE_URL, and a picture that goes to an S3 server and comes back."""

from collections.abc import Iterator

import boto3  # type: ignore[import-untyped]
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from storages.backends.s3 import S3Storage

from config import storage


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The host and port of an S3 server with the bucket "pictures"."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="key",
        aws_secret_access_key="a/secret",
    )
    client.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield f"{host}:{port}"
    moto.stop()


def test_a_file_goes_to_the_bucket_and_comes_back(server: str) -> None:
    options = storage.s3_options(f"s3://key:a%2Fsecret@{server}/pictures?region=eu-west-1&tls=0&prefix=studio")
    bucket = S3Storage(**options)
    name = bucket.save("outputs/one.png", ContentFile(b"\x89PNG picture"))
    assert bucket.open(name).read() == b"\x89PNG picture"
    assert bucket.size(name) == 12
    assert [each.key for each in bucket.bucket.objects.all()] == ["studio/outputs/one.png"]
    bucket.delete(name)
    assert not bucket.exists(name)


def test_django_makes_the_storage_from_these_options(server: str) -> None:
    options = storage.s3_options(f"s3://key:a%2Fsecret@{server}/pictures?region=eu-west-1&tls=0")
    made = storages.create_storage({"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options})
    assert made.exists(made.save("two.png", ContentFile(b"two")))


def test_amazon_with_the_machines_own_rights_needs_a_bucket_only() -> None:
    options = storage.s3_options("s3:///pictures?region=eu-central-1")
    assert (options["bucket_name"], options["region_name"]) == ("pictures", "eu-central-1")
    assert not options.keys() & {"access_key", "secret_key", "endpoint_url"}


def test_credentials_and_endpoint_are_read_from_the_address() -> None:
    options = storage.s3_options("s3://AKIA:s%2Fe%40c@minio.example.com:9000/pictures")
    assert (options["access_key"], options["secret_key"]) == ("AKIA", "s/e@c")
    assert options["endpoint_url"] == "https://minio.example.com:9000"


@pytest.mark.parametrize(
    "url", ["s3://host", "s3://host/", "file:///tmp/x", "s3://host/bucket/folder", "s3://h/b?acl=1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL"):
        storage.s3_options(url)
