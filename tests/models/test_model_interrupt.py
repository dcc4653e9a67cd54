"""Ctrl-C in a real kernel, while a model streams: the cell ends, the request ends, the kernel goes on."""

import os
import signal
import threading
import time

SETUP = """
from project_o import models
hello = [models.Message("user", "hi")]
model = models.open_model("local:{scene}.kernel", {url!r}, environ={{}})
"""


def test_ctrl_c_in_mid_stream_ends_the_cell_and_its_request(start_kernel, tmp_path, standin):
    kernel = start_kernel(tmp_path)
    for scene in ("stops", "silent"):
        assert kernel.run(SETUP.format(scene=scene, url=standin.url("local"))).status == "ok"
        before = len(standin.requests)

        def interrupt(before=before):
            until = time.monotonic() + 60
            while len(standin.requests) == before and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.3)
            kernel.manager.interrupt_kernel()

        threading.Thread(target=interrupt).start()
        ran = kernel.run("for piece in model.stream(hello): print(piece)", timeout=60)

        assert ran.status == "error"
        assert ran.error.startswith("KeyboardInterrupt")
        assert standin.has_left(f"{scene}.kernel")
        assert kernel.value("6 * 7") == "42"
    assert kernel.value("models.open_model('scripted:still here').chat(hello).text") == "'still here'"


def test_a_kernel_that_is_killed_in_mid_stream_leaves_nothing(start_kernel, tmp_path, standin):
    kernel = start_kernel(tmp_path)
    assert kernel.run(SETUP.format(scene="slow", url=standin.url("local"))).status == "ok"
    assert kernel.run("stream = model.stream(hello); first = next(stream)").status == "ok"

    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)

    assert standin.has_left("slow.kernel")
