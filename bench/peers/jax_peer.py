"""JAX on the CPU doing a training job of bench/peers/: steps of Adam, an epoch of them in one compiled call. See protocol.py.

    jax_peer.py FOLDER

Its threads are as many as NPROC says and the process may use: XLA asks once, when it starts.
"""

import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import numpy
from protocol import Job, serve, window

job = Job(sys.argv[1])
functions = {"sigmoid": jax.nn.sigmoid, "identity": lambda z: z}
RATES, EPSILON = (0.9, 0.999), 1e-8


def by_batches(values):
    return jnp.asarray(values.reshape(-1, job.batch, *values.shape[1:]))


rows = by_batches(job.rows)  # [steps, batch, inputs]
labels = None if job.labels is None else by_batches(job.labels.astype(numpy.int32))  # [steps, batch]


class Variant:
    """The layout of W, and where the gradient of the weight decay is added: in the cost or, equivalently for Adam, in the update."""

    def __init__(self, inputs_first, decay_in_adam):
        self.inputs_first = inputs_first
        self.cost_decay, self.adam_decay = (0, job.decay) if decay_in_adam else (job.decay, 0)

    def start(self):
        """(parameters, first moments, second moments, steps done)"""
        pairs = job.split(job.theta)
        parameters = [(jnp.array(w.T if self.inputs_first else w), jnp.array(b)) for w, b in pairs]
        moments = [jax.tree.map(jnp.zeros_like, parameters) for _ in RATES]
        return parameters, *moments, jnp.zeros((), jnp.float32)

    def flat(self, state):
        parts = [(w.T if self.inputs_first else w, b) for w, b in state[0]]
        return numpy.concatenate([numpy.ravel(part) for pair in parts for part in pair])

    def cost(self, parameters, x, y, decay):
        a, first = x, None
        for (w, b), layer in zip(parameters, job.layers):
            z = a @ (w if self.inputs_first else w.T) + b
            a = z if layer["activation"] == "softmax" else functions[layer["activation"]](z)
            first = a if first is None else first
        if job.objective["loss"] == "logLoss":
            # A product with one-hot labels, whose gradient is a subtraction, not a scatter.
            cost = -jnp.sum(jax.nn.log_softmax(a) * jax.nn.one_hot(y, a.shape[1])) / len(x)
        else:
            cost = 0.5 / len(x) * jnp.sum(jnp.square(a - x))
        if job.penalty:
            rho, mean = job.penalty["target"], first.mean(0)
            kl = rho * jnp.log(rho / mean) + (1 - rho) * jnp.log((1 - rho) / (1 - mean))
            cost = cost + job.penalty["weight"] * kl.sum()
        if decay > 0:
            cost = cost + decay / 2 * sum(jnp.sum(jnp.square(w)) for w, _ in parameters)
        return cost

    def step(self, state, batch):
        parameters, m, v, t = state
        x, y = batch
        d_parameters = jax.grad(self.cost)(parameters, x, y, self.cost_decay)
        if self.adam_decay > 0:
            pairs = zip(d_parameters, parameters)
            d_parameters = [(d_w + self.adam_decay * w, d_b) for (d_w, d_b), (w, _) in pairs]
        t = t + 1
        # 1 - rate^t, exact where rate^t is close to 1.
        m_share, v_share = (-jnp.expm1(t * numpy.float32(numpy.log(rate))) for rate in RATES)
        m = jax.tree.map(lambda m, d: RATES[0] * m + (1 - RATES[0]) * d, m, d_parameters)
        v = jax.tree.map(lambda v, d: RATES[1] * v + (1 - RATES[1]) * jnp.square(d), v, d_parameters)

        def update(p, m, v):
            return p - job.rate / m_share * m / (jnp.sqrt(v / v_share) + EPSILON)

        return (jax.tree.map(update, parameters, m, v), m, v, t), None

    @partial(jax.jit, static_argnums=0, donate_argnums=1)
    def scan(self, state, rows, labels):
        return jax.lax.scan(self.step, state, (rows, labels))[0]


variants = {
    "W [in, out]": Variant(True, False),
    "W [in, out], decay in Adam": Variant(True, True),
    "W [out, in]": Variant(False, False),
    "W [out, in], decay in Adam": Variant(False, True),
}
states = {}


def first(values, steps):
    return None if values is None else values[:steps]


def prove(variant, steps):
    """The parameters after this many steps, and their cost over the first batch."""
    chosen, state = variants[variant], variants[variant].start()
    whole = min(steps, len(rows))
    if steps % whole != 0:
        raise ValueError(f"{steps} steps are no whole number of scans of {whole}")
    for _ in range(steps // whole):
        state = chosen.scan(state, first(rows, whole), first(labels, whole))
    states[variant] = state
    job.leave("theta_peer.f32", chosen.flat(state))
    y = None if labels is None else labels[0]
    return {"cost": chosen.cost(state[0], rows[0], y, job.decay).item()}


compiled = set()


def train(variant, seconds):
    """Whole epochs, each one scan."""

    def epoch():
        states[variant] = jax.block_until_ready(variants[variant].scan(states[variant], rows, labels))
        return len(job.rows)

    if variant not in compiled:
        epoch()
        compiled.add(variant)
    return window(seconds, epoch)


def versions():
    linux = sys.platform == "linux"
    names = [thread.joinpath("comm").read_text() for thread in Path("/proc/self/task").iterdir()] if linux else []
    return {
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "platform": jax.default_backend(),
        # The threads that share the work of an operation; available on Linux only.
        "threads": sum(name.startswith("tf_XLAEigen") for name in names) if linux else None,
    }


serve(versions(), {"prove": prove, "train": train})
