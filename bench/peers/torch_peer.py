"""PyTorch on the CPU doing a job of bench/peers/: steps of Adam, or L-BFGS over all rows. See protocol.py.

    torch_peer.py FOLDER
"""

import os
import sys
import time

import torch
import torch.nn.functional as F
from protocol import Job, serve, window

job = Job(sys.argv[1])
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_flush_denormal(True)
rows = torch.from_numpy(job.rows)
labels = None if job.labels is None else torch.from_numpy(job.labels)
functions = {"sigmoid": torch.sigmoid, "identity": lambda z: z}


class Network:
    def __init__(self):
        pairs = job.split(torch.from_numpy(job.theta.copy()))
        self.layers = [tuple(p.clone().requires_grad_() for p in pair) for pair in pairs]
        self.weights = [w for w, _ in self.layers]
        self.biases = [b for _, b in self.layers]

    def parameters(self):
        return [p for layer in self.layers for p in layer]

    def flat(self):
        return torch.cat([p.detach().flatten() for p in self.parameters()])

    def fit_cost(self, x, y):
        """Without weight decay."""
        a, first = x, None
        for (w, b), layer in zip(self.layers, job.layers):
            z = F.linear(a, w, b)
            a = z if layer["activation"] == "softmax" else functions[layer["activation"]](z)
            first = a if first is None else first
        if job.objective["loss"] == "logLoss":
            cost = F.cross_entropy(a, y)
        else:
            cost = F.mse_loss(a, x, reduction="sum") * (0.5 / len(x))
        if job.penalty:
            rho, mean = job.penalty["target"], first.mean(0)
            kl = rho * torch.log(rho / mean) + (1 - rho) * torch.log((1 - rho) / (1 - mean))
            cost = cost + job.penalty["weight"] * kl.sum()
        return cost

    def cost(self, x, y):
        cost = self.fit_cost(x, y)
        if job.decay > 0:
            cost = cost + job.decay / 2 * sum(w.square().sum() for w in self.weights)
        return cost


class Training:
    """From the job's start. Weight decay is a term of the cost or, of the same gradient, what Adam adds to it."""

    def __init__(self, compiled, decay_in_adam):
        self.network = Network()
        weights = {"params": self.network.weights, "weight_decay": job.decay if decay_in_adam else 0}
        groups = [weights, {"params": self.network.biases}]
        self.optimizer = torch.optim.Adam(groups, lr=job.rate, betas=(0.9, 0.999), eps=1e-8, fused=True)
        cost = self.network.fit_cost if decay_in_adam else self.network.cost
        self.cost = torch.compile(cost, dynamic=False) if compiled else cost
        self.starts = list(job.batches())
        self.steps = 0

    def step(self):
        start = self.starts[self.steps % len(self.starts)]
        y = None if labels is None else labels[start : start + job.batch]
        self.optimizer.zero_grad(set_to_none=True)
        self.cost(rows[start : start + job.batch], y).backward()
        self.optimizer.step()
        self.steps += 1
        return job.batch


variants = {
    "eager": (False, False),
    "eager, decay in Adam": (False, True),
    "compile": (True, False),
    "compile, decay in Adam": (True, True),
}
trainings = {}


def prove(variant, steps):
    """The parameters after this many steps, and their cost over the first batch."""
    training = Training(*variants[variant])
    for _ in range(steps):
        training.step()
    trainings[variant] = training
    job.leave("theta_peer.f32", training.network.flat())
    with torch.no_grad():
        y = None if labels is None else labels[: job.batch]
        return {"cost": training.network.cost(rows[: job.batch], y).item()}


def train(variant, seconds):
    training = trainings[variant]
    training.step()
    return window(seconds, training.step)


class Objective:
    """All rows as one batch, for L-BFGS."""

    def __init__(self, compiled):
        self.network = Network()
        self.cost = torch.compile(self.network.cost, dynamic=False) if compiled else self.network.cost
        self.evaluations = 0

    def closure(self):
        for p in self.network.parameters():
            p.grad = None
        cost = self.cost(rows, labels)
        cost.backward()
        self.evaluations += 1
        return cost


objectives = {}


def evaluate(variant):
    """Cost and gradient at the start."""
    objective = objectives[variant] = Objective(variants[variant][0])
    cost = objective.closure().item()
    job.leave("gradient_peer.f32", torch.cat([p.grad.flatten() for p in objective.network.parameters()]))
    return {"cost": cost}


def minimize(variant, iterations, history):
    objective = objectives[variant]
    with torch.no_grad():
        for p, value in zip(objective.network.parameters(), Network().parameters()):
            p.copy_(value)
    objective.evaluations = 0
    lbfgs = torch.optim.LBFGS(
        objective.network.parameters(), lr=1, max_iter=iterations, max_eval=100 * iterations, history_size=history,
        tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe",
    )  # fmt: skip
    start = time.perf_counter()
    lbfgs.step(objective.closure)
    seconds = time.perf_counter() - start
    done = lbfgs.state[objective.network.parameters()[0]]["n_iter"]
    evaluations = objective.evaluations
    return {"seconds": seconds, "iterations": done, "evaluations": evaluations, "cost": objective.closure().item()}


def versions():
    return {
        "torch": torch.__version__,
        "mkl": torch.backends.mkl.is_available(),
        "onednn": torch.backends.mkldnn.is_available(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


serve(versions(), {"prove": prove, "train": train, "evaluate": evaluate, "minimize": minimize})
