"""Code that makes the same request as the form: curl, Python or Node, to paste and run.

The key is always read from the environment variable SCENESHIFT_API_KEY; no snippet ever holds one.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from generations.catalogue.model import ImageModel


@dataclass(frozen=True, slots=True)
class _Call:
    """params: what to send. files: image parameter → file name. urls: image parameter → address."""

    url: str
    params: Mapping[str, Any]
    files: Mapping[str, str]
    urls: Mapping[str, str]

    @property
    def in_base64(self) -> bool:
        return bool(self.params.get("base64"))

    @property
    def answers_json(self) -> bool:
        return self.in_base64 or self.params.get("samples", 1) > 1


def snippet(
    language: str, model: ImageModel, params: Mapping[str, Any], images: Mapping[str, str], base_url: str
) -> str:
    """Return the code for validated `params`; of those, only what is required or differs from its default.

    language: a key of `LANGUAGES`. images: image parameter → file name or http(s) URL; a required one that is
    missing gets a placeholder. Raises KeyError for another language.
    """
    return _WRITERS[language](_call(model, params, images, base_url))


def _call(model: ImageModel, params: Mapping[str, Any], images: Mapping[str, str], base_url: str) -> _Call:
    sent = {
        p.name: params[p.name]
        for p in model.parameters
        if p.name in params and not p.is_image and (p.required or params[p.name] != p.default)
    }
    pictures = {
        name: images.get(name) or model.by_name[name].example
        for name in model.image_names
        if images.get(name) or model.by_name[name].required
    }
    urls = {name: text for name, text in pictures.items() if text.startswith(("http://", "https://"))}
    files = {name: text for name, text in pictures.items() if name not in urls}
    return _Call(f"{base_url.rstrip('/')}/v1/{model.slug}", sent, files, urls)


def _literal(text: str, escape: Callable[[str], str]) -> str:
    """Return a double-quoted literal; what cannot be seen is escaped, so that code shows what it says."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else escape(c) for c in quoted)


def _python_value(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    return _literal(value, lambda c: f"\\U{ord(c):08x}")


def _node_value(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return _literal(value, lambda c: f"\\u{{{ord(c):x}}}")


def _object(call: _Call, quote: Callable[[Any], str], read: str, indent: int) -> str:
    entries = [f"{quote(name)}: {read.format(quote(path))}," for name, path in call.files.items()]
    entries += [f"{quote(name)}: {quote(value)}," for name, value in {**call.urls, **call.params}.items()]
    return "\n".join(" " * indent + entry for entry in entries)


def _curl_file(path: str) -> str:
    """Return the path as curl's -F wants it: quoted, so that ; and , do not end it."""
    if path.replace(".", "").replace("-", "").replace("_", "").isalnum():
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _curl_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _curl(call: _Call) -> str:
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


def _python(call: _Call) -> str:
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


def _node(call: _Call) -> str:
    fetched = "Buffer.from(await (await fetch(image)).arrayBuffer())"
    read = 'Buffer.from(image, "base64")' if call.in_base64 else fetched
    return _NODE.substitute(
        imported="readFile, writeFile" if call.files else "writeFile",
        helper=_NODE_HELPER if call.files else "",
        entries=_object(call, _node_value, "await toBase64({})", indent=2),
        url=_node_value(call.url),
        ending=_NODE_JSON.substitute(read=read) if call.answers_json else _NODE_BYTES,
    )


_WRITERS: Mapping[str, Callable[[_Call], str]] = {"curl": _curl, "python": _python, "node": _node}

LANGUAGES: Mapping[str, str] = {"curl": "curl", "python": "Python", "node": "Node"}
"""Language → its name as a tab shows it."""
