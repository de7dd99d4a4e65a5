import base64
import os
import time

import requests

HEADERS = {"x-api-key": os.environ["SCENESHIFT_API_KEY"]}


def to_base64(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


data = {
    "image": to_base64("product.jpg"),
    "ref_image": to_base64("background.jpg"),
    "prompt": "on a beach, in the evening sun",
}
job = requests.post("https://sceneshift.example/v2/bg-replace", json=data, headers=HEADERS, timeout=60)
job.raise_for_status()
while True:
    answer = requests.get(job.json()["poll_url"], headers=HEADERS, timeout=60).json()
    if answer["status"] == "FAILED":
        raise SystemExit(answer["error"])
    if answer["status"] == "COMPLETED":
        break
    time.sleep(1)
with open("result.jpg", "wb") as file:
    file.write(requests.get(answer["output"], timeout=60).content)
