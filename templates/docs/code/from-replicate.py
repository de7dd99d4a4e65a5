import os
import urllib.request

import replicate

client = replicate.Client(
    api_token=os.environ["SCENESHIFT_API_KEY"],
    base_url="https://sceneshift.example",
)

with open("product.jpg", "rb") as image, open("background.jpg", "rb") as background:
    output = client.run(
        "official/bg-replace",
        input={"image": image, "ref_image": background, "prompt": "on a beach, in the evening sun"},
    )
urllib.request.urlretrieve(str(output[0]), "result.jpg")
