submitted=$(curl -s --fail-with-body https://sceneshift.example/v2/bg-replace \
  -H "x-api-key: $SCENESHIFT_API_KEY" \
  -F image=@product.jpg -F ref_image=@background.jpg \
  -F prompt='on a beach, in the evening sun')
poll_url=$(printf %s "$submitted" | sed 's/.*"poll_url": *"\([^"]*\)".*/\1/')

until answer=$(curl -s "$poll_url" -H "x-api-key: $SCENESHIFT_API_KEY") &&
  printf %s "$answer" | grep -q -e '"COMPLETED"' -e '"FAILED"'; do
  sleep 1
done
output=$(printf %s "$answer" | sed 's/.*"output": *"\([^"]*\)".*/\1/')
curl -s --fail-with-body "$output" -o result.jpg
