"""Common to every peer of bench/peers/: the job from a folder, and requests and responses in JSON, one per line.

The folder holds job.json, rows.f32 [rows, inputs], theta.f32 (W1 b1 W2 b2 ..., each W [outputs, inputs]) and, for a classifier, labels.u32.
Results that are too long for a line are written there as a file.
"""

import json
import sys
import time
from pathlib import Path

import numpy


class Job:
    def __init__(self, folder):
        self.folder = Path(folder)
        spec = json.loads((self.folder / "job.json").read_text())
        self.layers = spec["layers"]
        self.objective = spec["objective"]
        self.penalty = self.objective.get("penalty")
        self.decay = self.objective["weightDecay"]
        self.batch, self.rate = spec["batchSize"], spec["learningRate"]
        self.rows = numpy.fromfile(self.folder / "rows.f32", numpy.float32).reshape(-1, self.layers[0]["inputs"])
        self.theta = numpy.fromfile(self.folder / "theta.f32", numpy.float32)
        labels = self.folder / "labels.u32"
        self.labels = numpy.fromfile(labels, numpy.uint32).astype(numpy.int64) if labels.exists() else None

    def split(self, theta):
        """[(W, b), ...] as views of a flat vector."""
        parts, at = [], 0
        for layer in self.layers:
            inputs, outputs = layer["inputs"], layer["outputs"]
            end = at + inputs * outputs
            parts.append((theta[at:end].reshape(outputs, inputs), theta[end : end + outputs]))
            at = end + outputs
        return parts

    def leave(self, name, values):
        numpy.asarray(values, numpy.float32).tofile(self.folder / name)

    def batches(self):
        """First rows of the batches of an epoch; rows are a multiple of the batch."""
        return range(0, len(self.rows), self.batch)


def window(seconds, run):
    """Calls run(), which returns how many samples it trained on, until this many seconds are over.

    Processors: the time that all threads of the process computed, over the time that went by.
    """
    samples, elapsed = 0, 0.0
    start, computed = time.perf_counter(), time.process_time()
    while elapsed < seconds:
        samples += run()
        elapsed = time.perf_counter() - start
    return {"samplesPerSecond": samples / elapsed, "processors": (time.process_time() - computed) / elapsed}


def serve(versions, answers):
    """Prints the versions, then handles {"do": name, ...} by answers[name](...) until standard input ends."""
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(versions), file=out, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answers[question.pop("do")](**question)), file=out, flush=True)
