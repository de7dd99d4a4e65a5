"""Snippets in PHP: its curl extension, which nearly every PHP has."""

import json
from string import Template
from typing import Any

from generations.catalogue.snippet_call import Call, entries

_FILE = Template("""\
<?php
// PHP 8 with its curl extension; save as generate.php
${helper}
$$data = [
$entries
];
$$cost = "";
$$request = curl_init($url);
curl_setopt_array($$request, [
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode($$data, JSON_THROW_ON_ERROR),
    CURLOPT_HTTPHEADER => [
        "Content-Type: application/json",
        "x-api-key: " . getenv("SCENESHIFT_API_KEY"),
    ],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 200,
    CURLOPT_HEADERFUNCTION => function ($$request, $$line) use (&$$cost) {
        if (stripos($$line, "x-cost:") === 0) {
            $$cost = trim(substr($$line, 7));
        }
        return strlen($$line);
    },
]);
$$answer = curl_exec($$request);
if ($$answer === false || curl_getinfo($$request, CURLINFO_RESPONSE_CODE) !== 200) {
    fwrite(STDERR, $$answer === false ? curl_error($$request) : $$answer);
    exit(1);
}
$ending
""")
_HELPER = """
function toBase64(string $path): string
{
    return base64_encode(file_get_contents($path));
}
"""
_BYTES = """\
file_put_contents("result.jpg", $answer);
echo "result.jpg, credits: ", $cost, "\\n";"""
_JSON = Template("""\
$$result = json_decode($$answer, true, 512, JSON_THROW_ON_ERROR);
foreach ($$result["images"] as $$index => $$image) {
    file_put_contents("result-" . ($$index + 1) . ".jpg", $read($$image));
}
echo $$result["outputs"], " pictures, credits: ", $$result["cost"], "\\n";""")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(call: Call) -> str:
    read = "base64_decode" if call.in_base64 else "file_get_contents"
    return _FILE.substitute(
        helper=_HELPER if call.files else "",
        entries="\n".join(f"    {name} => {value}," for name, value in entries(call, _value, "toBase64({})")),
        url=_value(call.url),
        ending=_JSON.substitute(read=read) if call.answers_json else _BYTES,
    )


def _value(value: Any) -> str:
    """Return a literal in double quotes; PHP would read variables in it, so that every $ is escaped."""
    if not isinstance(value, str):
        return json.dumps(value)
    return '"' + "".join(_escaped(c) for c in value) + '"'


def _escaped(c: str) -> str:
    return _ESCAPES.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}")
