"""Snippets in Go: the standard library, a single file."""

import json
from string import Template
from typing import Any

from generations.catalogue.snippet_call import Call, entries, literal

_FILE = Template("""\
// Go 1.18 or newer; save as generate.go, then: go run generate.go
package main

import (
$imports
)

func check(err error) {
\tif err != nil {
\t\tlog.Fatal(err)
\t}
}
$helpers
func main() {
\tdata, err := json.Marshal(map[string]any{
$entries
\t})
\tcheck(err)
\trequest, err := http.NewRequest("POST", $url, bytes.NewReader(data))
\tcheck(err)
\trequest.Header.Set("Content-Type", "application/json")
\trequest.Header.Set("x-api-key", os.Getenv("SCENESHIFT_API_KEY"))
\tresponse, err := http.DefaultClient.Do(request)
\tcheck(err)
\tdefer response.Body.Close()
\tanswer, err := io.ReadAll(response.Body)
\tcheck(err)
\tif response.StatusCode != http.StatusOK {
\t\tlog.Fatal(string(answer))
\t}
$ending
}
""")
_TO_BASE64 = """
func toBase64(path string) string {
\tfile, err := os.ReadFile(path)
\tcheck(err)
\treturn base64.StdEncoding.EncodeToString(file)
}
"""
_FETCH = """
func fetch(url string) []byte {
\tresponse, err := http.Get(url)
\tcheck(err)
\tdefer response.Body.Close()
\tpicture, err := io.ReadAll(response.Body)
\tcheck(err)
\treturn picture
}
"""
_FROM_BASE64 = """
func fromBase64(text string) []byte {
\tpicture, err := base64.StdEncoding.DecodeString(text)
\tcheck(err)
\treturn picture
}
"""
_BYTES = """\
\tcheck(os.WriteFile("result.jpg", answer, 0o644))
\tfmt.Println("result.jpg, credits:", response.Header.Get("x-cost"))"""
_JSON = Template("""\
\tvar result struct {
\t\tImages  []string
\t\tOutputs int
\t\tCost    float64
\t}
\tcheck(json.Unmarshal(answer, &result))
\tfor index, image := range result.Images {
\t\tcheck(os.WriteFile(fmt.Sprintf("result-%d.jpg", index+1), $read(image), 0o644))
\t}
\tfmt.Println(result.Outputs, "pictures, credits:", result.Cost)""")
_IMPORTS = ("bytes", "encoding/json", "fmt", "io", "log", "net/http", "os")


def write(call: Call) -> str:
    uses_base64 = bool(call.files) or call.in_base64
    imports = sorted((*_IMPORTS, "encoding/base64") if uses_base64 else _IMPORTS)
    read, reader = ("fromBase64", _FROM_BASE64) if call.in_base64 else ("fetch", _FETCH)
    return _FILE.substitute(
        imports="\n".join(f'\t"{name}"' for name in imports),
        helpers=(_TO_BASE64 if call.files else "") + (reader if call.answers_json else ""),
        entries=_map(entries(call, _value, "toBase64({})")),
        url=_value(call.url),
        ending=_JSON.substitute(read=read) if call.answers_json else _BYTES,
    )


def _map(sent: list[tuple[str, str]]) -> str:
    """Return the lines of a map, aligned as gofmt does it."""
    width = max(len(name) for name, _ in sent) + 2
    return "\n".join(f"\t\t{name + ':':<{width}}{value}," for name, value in sent)


def _value(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return literal(value, lambda c: f"\\U{ord(c):08x}")
