"""Code that makes the same request as the form: curl, Python, Node, Go or PHP, to paste and run.

The key is always read from the environment variable SCENESHIFT_API_KEY; no snippet ever holds one.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from string import Template
from typing import Any

from generations.catalogue import snippet_call, snippet_go, snippet_php
from generations.catalogue.model import ImageModel
from generations.catalogue.snippet_call import Call, entries, literal


def snippet(
    language: str, model: ImageModel, params: Mapping[str, Any], images: Mapping[str, str], base_url: str
) -> str:
    """Return the code for validated `params`; of those, only what is required or differs from its default.

    language: a key of `LANGUAGES`. images: image parameter → file name or http(s) URL; a required one that is
    missing gets a placeholder. Raises KeyError for another language.
    """
    return _WRITERS[language](snippet_call.call(model, params, images, base_url))


def _python_value(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    return literal(value, lambda c: f"\\U{ord(c):08x}")


def _node_value(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return literal(value, lambda c: f"\\u{{{ord(c):x}}}")


def _object(call: Call, quote: Callable[[Any], str], read: str, indent: int) -> str:
    return "\n".join(f"{' ' * indent}{name}: {value}," for name, value in entries(call, quote, read))


def _curl_file(path: str) -> str:
    """Return the path as curl's -F wants it: quoted, so that ; and , do not end it."""
    if path.replace(".", "").replace("-", "").replace("_", "").isalnum():
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _curl_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _curl(call: Call) -> str:
    lines = [f"curl --fail-with-body {shlex.quote(call.url)}", '-H "x-api-key: $SCENESHIFT_API_KEY"']
    lines += [f"-F {shlex.quote(f'{name}=@{_curl_file(path)}')}" for name, path in call.files.items()]
    # --form-string takes text as it is; -F would read a leading @ or < as a file's name.
    lines += [
        f"--form-string {shlex.quote(f'{name}={_curl_text(value)}')}"
        for name, value in {**call.urls, **call.params}.items()
    ]
    lines.append("-o result.json" if call.answers_json else "-o result.jpg")
    return " \\\n  ".join(lines) + "\n"


_PYTHON = Template("""\
${base64}import os

import requests

${helper}data = {
$entries
}
response = requests.post(
    $url,
    json=data,
    headers={"x-api-key": os.environ["SCENESHIFT_API_KEY"]},
    timeout=200,
)
if not response.ok:
    raise SystemExit(response.text)
$ending
""")
_PYTHON_HELPER = """
def to_base64(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


"""
_PYTHON_BYTES = """\
with open("result.jpg", "wb") as file:
    file.write(response.content)
print("result.jpg, credits:", response.headers["x-cost"])"""
_PYTHON_JSON = Template("""\
answer = response.json()
for number, image in enumerate(answer["images"], start=1):
    with open(f"result-{number}.jpg", "wb") as file:
        file.write($read)
print(answer["outputs"], "pictures, credits:", answer["cost"])""")


def _python(call: Call) -> str:
    read = "base64.b64decode(image)" if call.in_base64 else "requests.get(image, timeout=60).content"
    return _PYTHON.substitute(
        base64="import base64\n" if call.files or call.in_base64 else "",
        helper=_PYTHON_HELPER if call.files else "",
        entries=_object(call, _python_value, "to_base64({})", indent=4),
        url=_python_value(call.url),
        ending=_PYTHON_JSON.substitute(read=read) if call.answers_json else _PYTHON_BYTES,
    )


_NODE = Template("""\
// Node 18 or newer; save as generate.mjs
import { ${imported} } from "node:fs/promises";

${helper}const data = {
$entries
};
const response = await fetch($url, {
  method: "POST",
  headers: { "content-type": "application/json", "x-api-key": process.env.SCENESHIFT_API_KEY },
  body: JSON.stringify(data),
});
if (!response.ok) {
  throw new Error(await response.text());
}
$ending
""")
_NODE_HELPER = """\
const toBase64 = async (path) => (await readFile(path)).toString("base64");

"""
_NODE_BYTES = """\
await writeFile("result.jpg", Buffer.from(await response.arrayBuffer()));
console.log("result.jpg, credits:", response.headers.get("x-cost"));"""
_NODE_JSON = Template("""\
const answer = await response.json();
for (const [index, image] of answer.images.entries()) {
  await writeFile(`result-$${index + 1}.jpg`, $read);
}
console.log(answer.outputs, "pictures, credits:", answer.cost);""")


def _node(call: Call) -> str:
    fetched = "Buffer.from(await (await fetch(image)).arrayBuffer())"
    read = 'Buffer.from(image, "base64")' if call.in_base64 else fetched
    return _NODE.substitute(
        imported="readFile, writeFile" if call.files else "writeFile",
        helper=_NODE_HELPER if call.files else "",
        entries=_object(call, _node_value, "await toBase64({})", indent=2),
        url=_node_value(call.url),
        ending=_NODE_JSON.substitute(read=read) if call.answers_json else _NODE_BYTES,
    )


_WRITERS: Mapping[str, Callable[[Call], str]] = {
    "curl": _curl,
    "python": _python,
    "node": _node,
    "go": snippet_go.write,
    "php": snippet_php.write,
}

LANGUAGES: Mapping[str, str] = {"curl": "curl", "python": "Python", "node": "Node", "go": "Go", "php": "PHP"}
"""Language → its name as a tab shows it."""
