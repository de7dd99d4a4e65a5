curl --fail-with-body https://sceneshift.example/v1/models/official/bg-replace/predictions \
  -H "Authorization: Bearer $SCENESHIFT_API_KEY" -H 'content-type: application/json' \
  --data '{
    "input": {
      "image": "https://shop.example/product.jpg",
      "ref_image": "https://shop.example/background.jpg",
      "prompt": "on a beach, in the evening sun"
    },
    "webhook": "https://shop.example/hooks/sceneshift",
    "webhook_events_filter": ["completed"]
  }'
