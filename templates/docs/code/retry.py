import os
import time
import uuid

import requests


def edit(files, data, attempts=5):
    headers = {
        "x-api-key": os.environ["SCENESHIFT_API_KEY"],
        "Idempotency-Key": str(uuid.uuid4()),
    }
    for attempt in range(attempts):
        try:
            response = requests.post(
                "https://sceneshift.example/v1/bg-replace", files=files, data=data, headers=headers, timeout=200
            )
        except requests.ConnectionError:  # perhaps it arrived: the same key makes sure that it is one job
            time.sleep(2**attempt)
            continue
        if response.status_code not in (409, 429, 500, 502, 503, 504):
            return response
        if response.status_code in (500, 502):  # that job has failed, and cost nothing: this is another
            headers["Idempotency-Key"] = str(uuid.uuid4())
        time.sleep(int(response.headers.get("Retry-After", 2**attempt)))
    raise RuntimeError("no answer")


with open("product.jpg", "rb") as product, open("background.jpg", "rb") as background:
    pictures = {"image": product.read(), "ref_image": background.read()}
response = edit(files=pictures, data={"prompt": "on a beach, in the evening sun"})
response.raise_for_status()
with open("result.jpg", "wb") as file:
    file.write(response.content)
