import os

import httpx
import segmind

SITE = httpx.URL("https://sceneshift.example")
KEY = os.environ["SCENESHIFT_API_KEY"]


class ToSite(httpx.HTTPTransport):
    """Sends here what the client addresses to its maker's hosts."""

    def handle_request(self, request):
        request.url = request.url.copy_with(scheme=SITE.scheme, host=SITE.host, port=SITE.port)
        request.headers["host"] = SITE.netloc.decode()
        return super().handle_request(request)


client = segmind.SegmindClient(api_key=KEY, base_url=f"{SITE}/v1")
client._client = httpx.Client(
    headers=client._client.headers,
    base_url=f"{SITE}/v1",
    transport=ToSite(),
    timeout=200,
)

print([model["slug"] for model in client.models.list()["models"]])
images = [client.files.upload(name)["file_urls"][0] for name in ("product.jpg", "background.jpg")]
answer = client.run_sync("bg-replace", image=images[0], ref_image=images[1], prompt="on a beach", seed=7)
with open("result.jpg", "wb") as file:
    file.write(answer.content)
print(client.generations.recent("bg-replace"))
