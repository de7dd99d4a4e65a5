API=https://sceneshift.example/v1
KEY=$SCENESHIFT_API_KEY

printf '{"image": "%s", "ref_image": "%s", "prompt": "on a beach", "seed": 7}' \
  "$(base64 < product.jpg | tr -d '\n')" "$(base64 < background.jpg | tr -d '\n')" > request.json
curl --fail-with-body "$API/bg-replace" \
  -H "x-api-key: $KEY" -H 'content-type: application/json' \
  --data @request.json -o result.jpg
