"""Snippets are run, each by its own interpreter, against a server that keeps what it was sent."""

import ast
import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pygments.lexer import Lexer
from pygments.lexers.go import GoLexer
from pygments.lexers.php import PhpLexer

from generations import catalogue
from generations.catalogue import snippets

NASTY = (
    'It\'s "50%" off\\n: $HOME `id` ${x} $(id) {a} <b>\n'
    "second line\ttab @file ünï 🎉 \u200d\u2028\u202e\U000e0001 </script> !x;& ''' \"\"\" \\"
)
PICTURE = b"\xff\xd8 not really a picture \x00"
KEY = "ss_test"
ENDINGS = {"curl": "sh", "python": "py", "node": "mjs", "go": "go", "php": "php"}
RUN = {"curl": ["bash"], "python": [sys.executable], "node": ["node"], "go": ["go", "run"], "php": ["php"]}
NEEDS = {"curl": "curl", "node": "node"}
READ: dict[str, Lexer] = {"go": GoLexer(), "php": PhpLexer()}  # type: ignore[no-untyped-call]
"""Languages that few machines have: they are run where they are there, and read by a lexer everywhere."""
each_language = pytest.mark.parametrize("language", snippets.LANGUAGES)
each_that_runs = pytest.mark.parametrize(
    "language", [name for name in snippets.LANGUAGES if name not in READ or shutil.which(name)]
)


class Recorder(BaseHTTPRequestHandler):
    """Answers as the API does: bytes for one sample, JSON with addresses for more, base64 where asked for."""

    requests: list[tuple[str, str | None, dict[str, Any]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        sent = self._decode(self.headers["content-type"], body)
        self.requests.append((self.path, self.headers["x-api-key"], sent))
        if sent.get("base64") in (True, "true"):
            self._json([base64.b64encode(b"first").decode()])
        elif int(sent.get("samples", 1)) > 1:
            self._json([f"http://{self.headers['host']}/{name}" for name in ("first", "second")])
        else:
            self._answer(b"the picture")

    def do_GET(self) -> None:
        self._answer(self.path[1:].encode())

    def _decode(self, kind: str, body: bytes) -> dict[str, Any]:
        if kind == "application/json":
            return dict(json.loads(body))
        parts = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
        sent: dict[str, Any] = {}
        for part in parts.get_payload():
            assert not isinstance(part, str)
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            name = str(part.get_param("name", header="content-disposition"))
            sent[name] = base64.b64encode(data).decode() if part.get_filename() else data.decode()
        return sent

    def _json(self, images: list[str]) -> None:
        self._answer(json.dumps({"images": images, "outputs": len(images), "cost": 0.02}).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-cost", "0.01")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Recorder]]]:
    handler = type("OwnRecorder", (Recorder,), {"requests": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", handler
        listening.shutdown()


def execute(language: str, code: str, folder: Path) -> None:
    program = NEEDS.get(language)
    if program and not shutil.which(program):
        pytest.skip(f"needs {program} on PATH")
    script = folder / f"generate.{ENDINGS[language]}"
    script.write_text(code)
    proxies = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    done = subprocess.run(
        [*RUN[language], script.name],
        cwd=folder,
        env={**os.environ, **proxies, "SCENESHIFT_API_KEY": KEY, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stderr}\n{code}"


def as_json_or_text(language: str, value: Any) -> Any:
    """Return the value as the language's request carries it: curl's multipart has text only."""
    return (value if isinstance(value, str) else json.dumps(value)) if language == "curl" else value


@each_that_runs
@pytest.mark.parametrize("file_name", ["photo.jpg", 'my "best", it\'s; 1=2.jpg'])
def test_a_snippet_sends_exactly_what_the_form_says(
    language: str, file_name: str, server: tuple[str, type[Recorder]], tmp_path: Path
) -> None:
    url, recorder = server
    (tmp_path / file_name).write_bytes(PICTURE)
    model = catalogue.get("bg-replace")
    changed = {"prompt": NASTY, "negative_prompt": "@secret.txt", "cn_weight": 0.35, "seed": 999999999999999}
    images = {"image": file_name, "ref_image": f"{url}/b.jpg?a=1&b='2'"}
    execute(language, snippets.snippet(language, model, model.defaults | changed, images, url + "/"), tmp_path)
    path, key, sent = recorder.requests[0]
    assert (path, key) == ("/v1/bg-replace", KEY)
    expected = {name: as_json_or_text(language, value) for name, value in changed.items()}
    pictures = {"image": base64.b64encode(PICTURE).decode(), "ref_image": images["ref_image"]}
    assert sent == expected | pictures
    assert (tmp_path / "result.jpg").read_bytes() == b"the picture"
    accepted = catalogue.validate(model, sent, unknown="refuse")
    assert accepted.params == model.defaults | changed


@each_that_runs
def test_several_samples_are_all_saved(language: str, server: tuple[str, type[Recorder]], tmp_path: Path) -> None:
    url, _ = server
    (tmp_path / "product.jpg").write_bytes(PICTURE)
    model = catalogue.get("inpaint-auto")
    execute(language, snippets.snippet(language, model, {"prompt": "x", "samples": 2}, {}, url), tmp_path)
    if language == "curl":
        assert json.loads((tmp_path / "result.json").read_text())["outputs"] == 2
    else:
        saved = [(tmp_path / f"result-{number}.jpg").read_bytes() for number in (1, 2)]
        assert saved == [b"first", b"second"]


@each_that_runs
def test_base64_answers_are_decoded(language: str, server: tuple[str, type[Recorder]], tmp_path: Path) -> None:
    url, recorder = server
    model = catalogue.get("inpaint-auto")
    images = {"image": f"{url}/a.jpg"}
    execute(language, snippets.snippet(language, model, {"prompt": "x", "base64": True}, images, url), tmp_path)
    assert recorder.requests[0][2]["image"] == f"{url}/a.jpg"
    if language != "curl":
        assert (tmp_path / "result-1.jpg").read_bytes() == b"first"


def every(language: str) -> Iterator[str]:
    for model in catalogue.MODELS.values():
        for changes in ({}, {"samples": 2}, {"base64": True}):
            for images in ({}, {name: f"https://example.org/{name}" for name in model.image_names}):
                params = {**model.defaults, "prompt": NASTY, **changes}
                yield snippets.snippet(language, model, params, images, "https://scenes.example")


def test_every_python_snippet_compiles_and_uses_what_it_imports() -> None:
    for code in every("python"):
        tree = ast.parse(code)
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert imported | defined <= used


def test_every_curl_snippet_is_one_command(tmp_path: Path) -> None:
    for code in every("curl"):
        words = shlex.split(code)
        assert words[:2] == ["curl", "--fail-with-body"]
        assert f"prompt={NASTY}" in words
        assert "x-api-key: $SCENESHIFT_API_KEY" in words
    script = tmp_path / "all.sh"
    script.write_text("\n".join(every("curl")))
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node on PATH")
def test_every_node_snippet_parses(tmp_path: Path) -> None:
    script = tmp_path / "all.mjs"
    blocks = ["async () => {\n" + code.partition('promises";')[2] + "};" for code in every("node")]
    script.write_text("\n".join(blocks))
    done = subprocess.run(["node", "--check", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@each_language
def test_only_what_differs_and_what_is_required(language: str) -> None:
    model = catalogue.get("inpaint-auto")
    params = model.defaults | {"prompt": "on marble", "strength": 0.5}
    code = snippets.snippet(language, model, params, {}, "https://scenes.example")
    for name in ("prompt", "base_model", "cn_processor", "strength", "product.jpg"):
        assert name in code
    for name in ("scheduler", "samples", "seed", "mask", "negative_prompt", "guidance_scale", "base64="):
        assert name not in code
    assert "https://scenes.example/v1/inpaint-auto" in code
    assert "SCENESHIFT_API_KEY" in code
    assert "ss_" not in code


@pytest.mark.parametrize("language", READ)
def test_every_snippet_is_read_without_an_error_and_every_bracket_is_closed(language: str) -> None:
    for code in every(language):
        tokens = [(str(kind), text) for kind, text in READ[language].get_tokens(code)]
        assert not [text for kind, text in tokens if kind.startswith("Token.Error")]
        open_brackets: list[str] = []
        code_itself = (text for kind, text in tokens if kind.startswith(("Token.Punctuation", "Token.Operator")))
        for c in "".join(code_itself):
            if c in "([{":
                open_brackets.append(c)
            elif c in ")]}":
                assert open_brackets.pop() + c in {"()", "[]", "{}"}
        assert not open_brackets


def go_text(literal: str) -> str:
    """Read a literal of Go: what snippets use of its escapes, Python writes alike."""
    return str(ast.literal_eval(literal))


def php_text(literal: str) -> str:
    assert not re.search(r"(?<!\\)(\\\\)*\$", literal), "a variable would be read"
    escapes = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
    pattern = r"\\(?:u\{([0-9a-f]+)\}|(.))"
    return re.sub(pattern, lambda m: chr(int(m[1], 16)) if m[1] else escapes[m[2]], literal[1:-1], flags=re.DOTALL)


@pytest.mark.parametrize(("language", "read"), [("go", go_text), ("php", php_text)])
@pytest.mark.parametrize("text", [NASTY, "\\$x {$y} ${z} \\u{41} %s", "\x00\x08\x1b\x7f", ""])
def test_a_text_is_read_as_it_was_typed(language: str, read: Callable[[str], str], text: str) -> None:
    model = catalogue.get("inpaint-auto")
    code = snippets.snippet(language, model, {"prompt": text}, {}, "https://scenes.example")
    line = next(line for line in code.splitlines() if line.strip().startswith('"prompt"'))
    literal = re.split(r":\s+|\s=>\s", line, maxsplit=1)[1].removesuffix(",")
    assert read(literal) == text


@pytest.mark.parametrize("language", READ)
def test_what_is_imported_and_defined_is_used(language: str) -> None:
    """Go refuses an import that nothing uses."""
    for code in every(language):
        for name in re.findall(r"^(?:func|function) (\w+)", code, re.MULTILINE):
            assert name == "main" or len(re.findall(rf"\b{name}\(", code)) > 1
        for path in re.findall(r'^\t"([\w/]+)"$', code, re.MULTILINE):
            assert f"{path.rpartition('/')[2]}." in code


@pytest.mark.parametrize("language", ["python", "node", "go", "php"])  # a shell's single quotes know no escapes
def test_nothing_hides_in_a_snippet(language: str) -> None:
    model = catalogue.get("inpaint-auto")
    code = snippets.snippet(language, model, {"prompt": NASTY}, {}, "https://scenes.example")
    assert all(line.lstrip("\t").isprintable() for line in code.split("\n"))  # Go is indented with tabs


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        snippets.snippet("cobol", catalogue.get("bg-replace"), {}, {}, "https://scenes.example")
