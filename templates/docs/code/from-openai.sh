API=https://sceneshift.example/v1
KEY=$SCENESHIFT_API_KEY

curl --fail-with-body "$API/images/edits" \
  -H "Authorization: Bearer $KEY" \
  -F image=@product.jpg -F mask=@mask.png \
  -F prompt='on a pale marble counter, soft morning light' -o answer.json
sed 's/.*"b64_json": *"\([^"]*\)".*/\1/' answer.json | tr -d '\n' | base64 --decode > result.png
