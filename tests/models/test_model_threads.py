"""Where models are used: in a running event loop, from several threads, after a fork, in processes that are ended."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from project_o.errors import ModelError
from project_o.models import Message, open_model

TEXT = "Hello from the stand-in: äöü, 漢字, 🙂."


def test_inside_a_running_event_loop(opened, said):
    model = opened("openai", "good")

    async def as_in_a_kernel():
        return model.chat(said()).text, list(model.stream(said()))[-1].text

    # In a thread of its own: the browser of other tests keeps a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, as_in_a_kernel()).result() == (TEXT, TEXT)


def test_from_several_threads_at_once(opened):
    model, heard = opened("openai", "echo"), {}

    def ask(number):
        for k in range(3):
            heard[number, k] = model.chat([Message("user", f"{number}-{k}")]).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert heard == {(number, k): f"{number}-{k}" for number in range(4) for k in range(3)}
    assert model.usage().requests == 12


def test_a_stream_that_is_left_ends_its_request(opened, protocol, said, standin):
    model = opened(protocol, "huge")
    stream = model.stream(said())
    next(stream)

    stream.close()

    assert standin.has_left(model.name.partition(":")[2])


def test_what_a_reader_raises_ends_the_request(opened, said, standin, add_tool):
    model = opened("openai", "huge")

    def reader(text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as held:  # as a notebook holds on to its last traceback
        model.tools(said(), [add_tool], lambda call: "", reader)

    assert standin.has_left(model.name.partition(":")[2])
    del held


def test_one_thread_serves_all_models_and_nothing_of_a_request_stays(opened, said):
    for scene in ("good", "stops", "cut", "good"):
        with contextlib.suppress(ModelError):
            opened("openai", scene).chat(said())

    loops = [thread for thread in threading.enumerate() if thread.name == "project-o models"]
    assert len(loops) == 1
    assert loops[0].daemon


CHILD = """
import os, sys
from project_o import models
model = models.open_model("local:{scene}.{name}", {url!r}, environ={{}})
stream = model.stream([models.Message("user", "hi")])
print(next(stream), flush=True)
{then}
"""


def child(standin, name, then, scene="stops"):
    code = CHILD.format(url=standin.url("local"), name=name, then=then, scene=scene)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_process_that_is_ended_in_mid_stream_ends(standin):
    process = child(standin, "ended", "list(stream)")
    assert process.stdout.readline().strip()

    process.terminate()

    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert standin.has_left("stops.ended")


def test_ctrl_c_ends_a_stream_at_once(standin):
    then = "try: list(stream)\nexcept KeyboardInterrupt: print('interrupted')"
    process = child(standin, "interrupt", then)
    assert process.stdout.readline().strip()
    time.sleep(0.5)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=60)
    assert (out.strip(), process.returncode) == ("interrupted", 0), err
    assert standin.has_left("stops.interrupt")


def test_a_process_that_ends_with_a_stream_open_ends(standin):
    process = child(standin, "abandoned", "")

    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")


def test_a_forked_child_asks_for_itself(standin):
    then = """
stream.close()
child = os.fork()
answer = model.chat([models.Message("user", "hi")]).text
os.write(1, f"{'parent' if child else 'child'} {answer}\\n".encode())  # whole, beside the other's
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""
    process = child(standin, "fork", then, scene="good")

    out, err = process.communicate(timeout=60)

    assert sorted(out.strip().split("\n")[1:]) == [f"child {TEXT}", f"parent {TEXT}"], err


def test_the_stand_in_runs_as_a_process_of_its_own(tmp_path):
    place = Path(__file__).parent / "standin.py"
    process = subprocess.Popen([sys.executable, str(place), "0"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().split()[0]
        model = open_model("local:good", url, environ=dict(os.environ))
        assert model.chat([Message("user", "hi")]).text == TEXT
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
