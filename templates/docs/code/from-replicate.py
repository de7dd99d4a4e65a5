import os
import urllib.request

import replicate

client = replicate.Client(
    api_token=os.environ["SCENESHIFT_API_KEY"],
    base_url="https://sceneshift.example",
)

with open("product.jpg", "rb") as image, open("background.jpg", "rb") as background:
    prediction = client.predictions.create(
        model="official/bg-replace",
        input={"image": image, "ref_image": background, "prompt": "on a beach, in the evening sun"},
    )
prediction.wait()
if prediction.error:
    raise SystemExit(prediction.error)
urllib.request.urlretrieve(prediction.output[0], "result.jpg")
