import base64
import os

from openai import OpenAI

client = OpenAI(
    api_key=os.environ["SCENESHIFT_API_KEY"],
    base_url="https://sceneshift.example/v1",
)

with open("product.jpg", "rb") as image, open("mask.png", "rb") as mask:
    answer = client.images.edit(
        image=image,
        mask=mask,
        prompt="on a pale marble counter, soft morning light",
    )
with open("result.png", "wb") as file:
    file.write(base64.b64decode(answer.data[0].b64_json))
