"""PyTorch on the CPU doing the job of sparse.ts: CSR rows through a sparse product, a dense decoder and loss, Adam.

    sparse_side.py FOLDER

Requests and answers in JSON, one a line, as in bench/peers/protocol.py. The rows of each batch are made a CSR tensor beforehand.
"""

import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy
import torch

warnings.filterwarnings("ignore", message=".*[Ss]parse")
folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_flush_denormal(True)
inputs, hidden, batch = job["inputs"], job["hidden"], job["batchSize"]
indptr = numpy.fromfile(folder / "indptr.u32", numpy.uint32).astype(numpy.int32)
indices = numpy.fromfile(folder / "indices.u32", numpy.uint32).astype(numpy.int32)
values = numpy.fromfile(folder / "values.f32", numpy.float32)
theta = torch.from_numpy(numpy.fromfile(folder / "theta.f32", numpy.float32))


def rows_of(first, count):
    begin, end = indptr[first], indptr[first + count]
    starts = torch.from_numpy(indptr[first : first + count + 1] - begin)
    columns, stored = torch.from_numpy(indices[begin:end]), torch.from_numpy(values[begin:end])
    return torch.sparse_csr_tensor(starts, columns, stored, size=(count, inputs))


batches = [rows_of(first, min(batch, job["rows"] - first)) for first in range(0, job["rows"], batch)]


class Training:
    """The encoder's weights are kept transposed, as the sparse product reads them."""

    def __init__(self):
        n = inputs * hidden
        parts = [theta[:n].reshape(hidden, inputs).T.contiguous(), theta[n : n + hidden]]
        parts += [theta[n + hidden : 2 * n + hidden].reshape(inputs, hidden), theta[2 * n + hidden :]]
        self.parameters = [part.clone().requires_grad_() for part in parts]
        self.optimizer = torch.optim.Adam(self.parameters, lr=job["learningRate"], eps=1e-8, fused=True)
        self.steps = 0

    def step(self):
        x = batches[self.steps % len(batches)]
        w1, b1, w2, b2 = self.parameters
        self.optimizer.zero_grad(set_to_none=True)
        code = torch.sigmoid(torch.sparse.mm(x, w1) + b1)
        y = torch.sigmoid(torch.nn.functional.linear(code, w2, b2))
        cost = torch.nn.functional.mse_loss(y, x.to_dense(), reduction="sum") * (0.5 / x.shape[0])
        cost.backward()
        self.optimizer.step()
        self.steps += 1
        return x.shape[0]


training = Training()


def prove(steps):
    proved = Training()
    for _ in range(steps):
        proved.step()
    w1, *others = (p.detach() for p in proved.parameters)
    flat = torch.cat([w1.T.contiguous().flatten(), *(p.flatten() for p in others)])
    flat.numpy().tofile(folder / "theta_pytorch.f32")
    return {}


def train(seconds):
    training.step()
    samples, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        samples += training.step()
    return {"samplesPerSecond": samples / (time.perf_counter() - start)}


def memory():
    return {"mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


answers = {"prove": prove, "train": train, "memory": memory}
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(answers[question.pop("do")](**question)), flush=True)
