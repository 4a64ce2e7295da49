"""PyTorch on the CPU doing a job of bench/large/: rows by numpy.memmap and a DataLoader, steps of Adam.

    torch_loader.py FOLDER

Requests and answers in JSON, one a line: see bench/peers/protocol.py. Rows travel as they are stored; a batch is converted to float32 when it
is trained on.
"""

import json
import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))

import numpy
import torch
import torch.nn.functional as F
from protocol import serve, window
from torch.utils.data import DataLoader

folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
inputs, hidden, batch = job["inputs"], job["hidden"], job["batchSize"]
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_flush_denormal(True)


class Rows(torch.utils.data.Dataset):
    """Row by row, as a Dataset is commonly written."""

    def __init__(self, count):
        self.count = count
        self.shards = [
            numpy.memmap(s["path"], job["type"], "r", offset=s["offset"], shape=(s["rows"], inputs))
            for s in job["segments"]
        ]
        self.ends = numpy.cumsum([s["rows"] for s in job["segments"]])

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        k = int(numpy.searchsorted(self.ends, i, side="right"))
        return torch.from_numpy(numpy.array(self.shards[k][i - (self.ends[k - 1] if k > 0 else 0)]))


class Batches(Rows):
    """All rows of a batch at once."""

    def __getitems__(self, indices):
        wanted = numpy.asarray(indices)
        out = numpy.empty((len(wanted), inputs), job["type"])
        which = numpy.searchsorted(self.ends, wanted, side="right")
        for k in numpy.unique(which):
            here = which == k
            out[here] = self.shards[k][wanted[here] - (self.ends[k - 1] if k > 0 else 0)]
        return torch.from_numpy(out)


variants = {
    "rows": (Rows, 0),
    "rows, 2 workers": (Rows, 2),
    "batches": (Batches, 0),
    "batches, 1 worker": (Batches, 1),
    "batches, 2 workers": (Batches, 2),
}


def loader(variant, count, shuffle):
    kind, workers = variants[variant]
    rows = kind(count)
    collate = {} if kind is Rows else {"collate_fn": lambda rows: rows}
    return DataLoader(rows, batch_size=batch, shuffle=shuffle, num_workers=workers, **collate)


class Training:
    def __init__(self, variant, count, shuffle):
        theta = torch.from_numpy(numpy.fromfile(folder / "start.f32", numpy.float32))
        n = inputs * hidden
        parts = [theta[:n].reshape(hidden, inputs), theta[n : n + hidden]]
        parts += [theta[n + hidden : 2 * n + hidden].reshape(inputs, hidden), theta[2 * n + hidden :]]
        self.parameters = [part.clone().requires_grad_() for part in parts]
        self.optimizer = torch.optim.Adam(self.parameters, lr=job["learningRate"], eps=1e-8, fused=True)
        self.loader = loader(variant, count, shuffle)
        self.batches = iter(self.loader)

    def step(self):
        stored = next(self.batches, None)
        if stored is None:
            self.batches = iter(self.loader)
            stored = next(self.batches)
        x = stored.to(torch.float32)
        if job["scale"] != 1:
            x.mul_(job["scale"])
        w1, b1, w2, b2 = self.parameters
        self.optimizer.zero_grad(set_to_none=True)
        code = torch.sigmoid(F.linear(x, w1, b1))
        y = torch.sigmoid(F.linear(code, w2, b2))
        cost = F.mse_loss(y, x, reduction="sum") * (0.5 / len(x))
        cost = cost + job["weightDecay"] / 2 * (w1.square().sum() + w2.square().sum())
        rho, mean = job["target"], code.mean(0)
        kl = rho * torch.log(rho / mean) + (1 - rho) * torch.log((1 - rho) / (1 - mean))
        (cost + job["weight"] * kl.sum()).backward()
        self.optimizer.step()
        return len(x)

    def flat(self):
        return torch.cat([p.detach().flatten() for p in self.parameters])


trainings = {}


def prove(rows):
    """The parameters after an epoch of the first rows in their order."""
    training = Training("batches", rows, shuffle=False)
    for _ in range(-(-rows // batch)):
        training.step()
    training.flat().numpy().tofile(folder / "steps_pytorch.f32")
    return {}


def train(variant, seconds):
    if variant not in trainings:
        trainings.clear()  # the workers of the one before
        trainings[variant] = Training(variant, job["rows"], shuffle=True)
    training = trainings[variant]
    training.step()
    return window(seconds, training.step)


def memory():
    own, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"most": own / 1024, "worker": workers / 1024}


versions = {"torch": torch.__version__, "numpy": numpy.__version__, "threads": torch.get_num_threads()}
serve({**versions, "variants": list(variants)}, {"prove": prove, "train": train, "memory": memory})
