import base64
import os

import segmind

client = segmind.SegmindClient(
    api_key=os.environ["SCENESHIFT_API_KEY"],
    base_url="https://sceneshift.example/v1",
)


def to_base64(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


answer = client.run_sync(
    "bg-replace",
    image=to_base64("product.jpg"),
    ref_image=to_base64("background.jpg"),
    prompt="on a beach, in the evening sun",
    seed=7,
)
with open("result.jpg", "wb") as file:
    file.write(answer.content)
print(answer.headers["x-cost"], "credits")
