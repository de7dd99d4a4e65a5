"""A bare upstream in a process of its own: it answers every POST with one JPEG, at once or after a delay.

The yardstick for everything that Sceneshift adds: `python -m benchmarks.stub PORT DELAY_SECONDS KILOBYTES DIALECT`.
The dialect is "picture", or "openai" for the JSON of OpenAI's images/edits.
"""

import base64
import json
import socket
import sys
import threading
import time

JPEG_START = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
JPEG_END = b"\xff\xd9"


def answer(kilobytes: int, dialect: str) -> bytes:
    """Return a whole HTTP answer whose body has the size of a picture."""
    content_type, body = "image/jpeg", (JPEG_START + JPEG_END).ljust(kilobytes * 1024, b"\0")
    if dialect == "openai":
        picture = {"b64_json": base64.b64encode(body).decode()}
        content_type, body = "application/json", json.dumps({"created": 1, "data": [picture]}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def serve(port: int, delay: float, whole: bytes) -> None:
    """Serve one answer for ever, a thread per connection."""
    threading.stack_size(256 * 1024)
    with socket.create_server(("127.0.0.1", port), backlog=2048) as server:
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_converse, args=(connection, delay, whole), daemon=True).start()


def _converse(connection: socket.socket, delay: float, whole: bytes) -> None:
    held = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in held:
                piece = connection.recv(65536)
                if not piece:
                    return
                held += piece
            head, _, body = held.partition(b"\r\n\r\n")
            missing = _length(head) - len(body)
            while missing > 0:
                missing -= len(connection.recv(min(missing, 262144)))
            held = b""  # the load generator does not pipeline
            time.sleep(delay)
            connection.sendall(whole)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), answer(int(sys.argv[3]), sys.argv[4]))
