// Asks the studio where the subject of the picture in the image field is.

import { read } from "./mask-file.js";

const FAILED = "The studio could not look for the subject. Try again, or paint it.";

/** Return a canvas that is opaque where the subject is. Throws an Error whose message is for people. */
export async function requestSubject(url, form, image) {
  const body = new FormData();
  const file = image.file.files[0];
  if (file) body.set("image", file);
  else body.set("image_source", image.reference.value);
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(url, { method: "POST", body, headers }).catch(() => null);
  if (answer?.ok) return (await read(await answer.blob())).canvas;
  const isInWords = answer?.headers.get("Content-Type")?.startsWith("text/plain");
  throw new Error(isInWords ? await answer.text() : FAILED);
}
