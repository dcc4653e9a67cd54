"""How the stand-in behaves: one function a scene, named by the model that is asked for.

To add a scene: a function of the request, and its name in ``SCENES``.
"""

from __future__ import annotations

import re

from standin_protocols import Answer, in_pieces

TEXT = "Hello from the stand-in: äöü, 漢字, 🙂."
PAUSE_SECONDS = 0.1
HTML = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>b{}</style></head><body><b>nginx</b></body></html>"
)


def good(ask):
    """Answers, in pieces."""
    ask.say(Answer(in_pieces(TEXT)))


def echo(ask):
    """Says back the last message."""
    ask.say(Answer(in_pieces(ask.protocol.last(ask.body))))


def split(ask):
    """Answers byte by byte, so that characters come in parts."""
    for frame in ask.protocol.frames(Answer([TEXT]), ask.model):
        for k in range(len(frame)):
            ask.send(frame[k : k + 1])


def tools(ask):
    """Asks for the first tool, with its last message as the arguments where that is JSON; then tells its results."""
    results = ask.protocol.results(ask.body)
    if results:
        return ask.say(Answer(in_pieces("The tools said: " + "; ".join(results))))
    return ask.say(Answer(["Let me see. "], [(ask.protocol.tool_names(ask.body)[0], ask.arguments())]))


def alltools(ask):
    """Asks for every tool at once, then tells their results."""
    results = ask.protocol.results(ask.body)
    if results:
        return ask.say(Answer(["; ".join(results)]))
    return ask.say(Answer([], [(name, ask.arguments()) for name in ask.protocol.tool_names(ask.body)]))


def forever(ask):
    """Asks for the first tool, again and again."""
    ask.say(Answer([], [(ask.protocol.tool_names(ask.body)[0], "{}")]))


def badcall(ask):
    """Asks for a tool with arguments that are no JSON; told so, it says what it was told."""
    results = ask.protocol.results(ask.body)
    answer = Answer([results[-1]]) if results else Answer([], [(ask.protocol.tool_names(ask.body)[0], '{"a": oops')])
    ask.say(answer)


def unknowncall(ask):
    """Asks for a tool that was not offered; told so, it says what it was told."""
    results = ask.protocol.results(ask.body)
    ask.say(Answer([results[-1]]) if results else Answer([], [("teleport", "{}")]))


def quiet(ask):
    """Asks for a tool, and has nothing to add to its result."""
    ask.say(Answer() if ask.protocol.results(ask.body) else Answer([], [(ask.protocol.tool_names(ask.body)[0], "{}")]))


def slow(ask):
    """Answers with a pause before each piece."""
    ask.say(Answer(in_pieces(TEXT)), pause=PAUSE_SECONDS)


def length(ask):
    """Stops at its limit of tokens."""
    ask.say(Answer(in_pieces(TEXT), finish="length"))


def filtered(ask):
    """Withholds its answer."""
    ask.say(Answer(finish="content_filter"))


def empty(ask):
    """Answers nothing, politely."""
    ask.say(Answer())


def huge(ask):
    """Answers more than anybody wants, until the client leaves."""
    ask.say(Answer(["x" * 1000] * 100_000))


def endless(ask):
    """Sends a line that does not end."""
    while True:
        ask.send(b"data: " + b"x" * 65536)


def flaky(ask):
    """Fails twice, then answers."""
    ask.fail((500, 503)[ask.count - 1], "try again") if ask.count <= 2 else good(ask)


def down(ask):
    """Fails always."""
    ask.fail(500, "out of memory")


def busy(ask):
    """Is busy at first, and says for how long."""
    ask.fail(429, "slow down", {"Retry-After": "0.1"}) if ask.count == 1 else good(ask)


def exhausted(ask):
    """Asks to come back in an hour."""
    ask.fail(429, "quota used up until the full hour", {"Retry-After": "3600"})


def denied(ask):
    """Refuses the key, and repeats it."""
    key = ask.headers.get("x-api-key") or ask.headers.get("authorization", "")
    ask.fail(401, f"Incorrect API key provided: {key}. " + "You can find your key in your account. " * 40)


def missing(ask):
    """Knows no such model."""
    ask.fail(404, f"model '{ask.model}' not found")


def moved(ask):
    """Sends its clients elsewhere."""
    ask.whole(307, b"", "text/plain", {"Location": "/elsewhere" + ask.path})


def malformed(ask):
    """Sends events that are no JSON."""
    ask.send(b"event: message_start\ndata: {oops\n\n")


def wrongbody(ask):
    """Answers 200 with a JSON body that is no JSON and no events."""
    ask.whole(200, b'{"choices": [', "application/json")


def page(ask):
    """Answers 200 with a web page."""
    ask.whole(200, HTML.encode(), "text/html")


def gateway(ask):
    """A proxy's error page."""
    ask.whole(502, HTML.encode(), "text/html")


def reset(ask):
    """Breaks the connection before an answer, the first time."""
    ask.abort() if ask.count == 1 else good(ask)


def cut(ask):
    """Breaks the connection in the middle."""
    ask.begin(list(ask.protocol.frames(Answer(in_pieces(TEXT)), ask.model))[:6])
    ask.abort()


def ends(ask):
    """Ends its answer in the middle, as if it were whole."""
    ask.begin(list(ask.protocol.frames(Answer(in_pieces(TEXT)), ask.model))[:6])


def reports(ask):
    """Reports an error in the middle."""
    ask.begin(list(ask.protocol.frames(Answer(in_pieces(TEXT)), ask.model))[:6])
    ask.send(ask.protocol.error_event("the graphics card is gone"))


def silent(ask):
    """Never answers."""
    ask.wait()


def stops(ask):
    """Falls silent in the middle."""
    ask.begin(list(ask.protocol.frames(Answer(in_pieces(TEXT)), ask.model))[:6])
    ask.wait()


STEP = re.compile(r"(step = )(\d+\.\d+)")


def improvement(ask, whole=True):
    """A larger step, as an edit of the program that it was asked about; not ``whole``: it ends in the middle."""
    text = next(found for message in ask.body["messages"] if (found := STEP.search(str(message["content"]))))
    edit = f"A larger step.\n<<<<<<< SEARCH\n{text[0]}\n=======\n{text[1]}{2 * float(text[2]):.1f}\n"
    return edit + ">>>>>>> REPLACE\n" if whole else edit


def improves(ask):
    """Proposes a larger step."""
    ask.say(Answer(in_pieces(improvement(ask))))


def dawdles(ask):
    """Proposes the same, with a pause before each piece."""
    ask.say(Answer(in_pieces(improvement(ask))), pause=PAUSE_SECONDS / 10)


def stumbles(ask):
    """Proposes what cannot be used; told so, it proposes a larger step."""
    told = "cannot be used" in ask.protocol.last(ask.body)
    ask.say(Answer(in_pieces(improvement(ask) if told else "I would rather write <<<<<<< poetry.")))


def halves(ask):
    """Never comes to the end of its proposal: it has reached its limit of tokens."""
    ask.say(Answer(in_pieces(improvement(ask, whole=False)), finish="length"))


def tires(ask):
    """Proposes twice, and never answers again."""
    improves(ask) if ask.count <= 2 else ask.wait()


def edit(name, old, new):
    """A change of the file of this name; of whichever holds the lines, where there is no name."""
    return f"{name}\n```python\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


def widens(ask):
    """Gives a function of one file another parameter, and its call in the other file an argument for it."""
    call = edit("main.py", "    return helper.step(2.0)", "    return helper.step(2.0, 10.0)")
    step = edit("**lib/helper.py**", "def step(x):", "def step(x, width):") + edit(
        "", "    return x", "    return x * width"
    )
    ask.say(Answer(in_pieces(f"Steps take their width.\n{call}{step}")))


STRAYS = (
    edit("../x", "    return x", "    return 2 * x"),
    edit("lib/new.py", "", "y = 1"),
    edit("fixed.py", "LIMIT = 9", "LIMIT = 10"),
    edit("main.py", "import lib.helper as helper", "import os"),
    edit("lib/helper.py", "    return helper.step(2.0)", "    return 1.0"),
    "It is all new:\n```python\ndef step(x): return 9 * x\n```\n",
)


def strays(ask):
    """Its first answers name files that are not there, or change what may not change; then it widens."""
    widens(ask) if ask.count > len(STRAYS) else ask.say(Answer(in_pieces(STRAYS[ask.count - 1])))


PROPOSING = (widens, strays, improves, dawdles, stumbles, halves, tires)
QUIRKS = (split, tools, alltools, forever, badcall, unknowncall, quiet, slow, length, filtered, empty, huge, endless)
FAULTS = (
    flaky,
    down,
    busy,
    exhausted,
    denied,
    missing,
    moved,
    malformed,
    wrongbody,
    page,
    gateway,
    reset,
    cut,
    ends,
    reports,
)
SCENES = {scene.__name__: scene for scene in (good, echo, *PROPOSING, *QUIRKS, *FAULTS, silent, stops)}
