#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model's answer as it arrives: server-sent events, thinking cut out, loops noticed, the JSON in it shown as it grows.

    python3 stream_of_a_model.py

The stream is made here and cut into pieces of any size, in the middle of characters too, as networks do.
"""

import json
import random

import lanewise as lw

ANSWER = '<think>The user wants the weather. Grüße! </think>{"tool": "weather", "arguments": {"city": "Kraków", "days": 3}}'
LOOPING = "I will check that. " + "Let me read the file. " * 30


def stream(text, rng):
    """The bytes of a service that answers with this text."""
    events = []
    while text:
        n = rng.randint(1, 9)
        event = {"choices": [{"index": 0, "delta": {"content": text[:n]}}]}
        events.append(f"data: {json.dumps(event, ensure_ascii=False)}\n\n")
        text = text[n:]
    data = "".join([*events, "data: [DONE]\n\n"]).encode()
    while data:
        n = rng.randint(1, 200)
        yield data[:n]
        data = data[n:]


def show_json(pieces):
    events = lw.json.Events("choices[0].delta.content", default="")
    thinking, partial = lw.StreamFilter(), lw.json.Partial()
    shown = None
    for piece in pieces:
        partial.feed("".join(thinking.feed(content) for content in events.feed(piece)))
        if partial.value != shown:
            shown = partial.value
            print(shown)
    partial.feed(thinking.finish())
    print("whole:", partial.finish())


def stop_at_a_loop(pieces):
    events, loops = lw.json.Events("choices[0].delta.content", default=""), lw.LoopDetector(min_period=2, max_period=64, count=4)
    received = ""
    for piece in pieces:
        for content in events.feed(piece):
            received += content
            period = loops.push([lw.xxh3_64(character) & 0xFFFFFFFF for character in content])
            if period:
                print(f"a loop of {period} characters after {len(received)}: {received[-period:]!r}")
                return
    print("no loop")


def main():
    rng = random.Random(1)
    show_json(stream(ANSWER, rng))
    stop_at_a_loop(stream(LOOPING, rng))


if __name__ == "__main__":
    main()
