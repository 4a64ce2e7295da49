"""SciPy's L-BFGS-B on cost and gradient in numpy, float32, of a sparse autoencoder over all rows. See protocol.py.

    scipy_peer.py FOLDER
"""

import sys
import time

import numpy
import scipy
from protocol import Job, serve
from scipy.optimize import minimize

job = Job(sys.argv[1])
x = job.rows
m, hidden = len(x), job.layers[0]["outputs"]
rho, beta = job.penalty["target"], job.penalty["weight"]
# Made once: a new array of this size costs about as much as what is computed into it.
buffers = [numpy.empty((m, width), numpy.float32) for width in (hidden, x.shape[1], hidden, x.shape[1])]
gradient = numpy.empty_like(job.theta)
evaluations = 0


def sigmoid(z):
    numpy.negative(z, out=z)
    numpy.exp(z, out=z)
    z += 1
    numpy.reciprocal(z, out=z)


def cost_and_gradient(theta):
    global evaluations
    evaluations += 1
    a, y, da, error = buffers
    theta = theta.astype(numpy.float32, copy=False)
    (w1, b1), (w2, b2) = job.split(theta)
    (g1, c1), (g2, c2) = job.split(gradient)
    numpy.matmul(x, w1.T, out=a)
    numpy.add(a, b1, out=a)
    sigmoid(a)
    numpy.matmul(a, w2.T, out=y)
    numpy.add(y, b2, out=y)
    sigmoid(y)
    numpy.subtract(y, x, out=error)
    flat = error.ravel()
    cost = 0.5 / m * float(flat @ flat)
    # y becomes the delta of the output: (y - x) y (1 - y) / m.
    error *= y
    numpy.subtract(1, y, out=y)
    y *= error
    y *= numpy.float32(1 / m)
    mean = a.mean(axis=0, dtype=numpy.float64)
    cost += beta * float((rho * numpy.log(rho / mean) + (1 - rho) * numpy.log((1 - rho) / (1 - mean))).sum())
    pull = beta / m * ((1 - rho) / (1 - mean) - rho / mean)
    numpy.matmul(y.T, a, out=g2)
    c2[:] = y.sum(axis=0)
    numpy.matmul(y, w2, out=da)
    da += pull.astype(numpy.float32)
    da *= a
    numpy.subtract(1, a, out=a)
    da *= a
    numpy.matmul(da.T, x, out=g1)
    c1[:] = da.sum(axis=0)
    for w, g in ((w1, g1), (w2, g2)):
        cost += job.decay / 2 * float(w.ravel() @ w.ravel())
        g += numpy.float32(job.decay) * w
    return cost, gradient.astype(numpy.float64)


def evaluate(variant):
    cost, values = cost_and_gradient(job.theta)
    job.leave("gradient_peer.f32", values)
    return {"cost": cost}


def run(variant, iterations, history):
    global evaluations
    evaluations = 0
    options = {"maxiter": iterations, "maxfun": 100 * iterations, "maxcor": history, "ftol": 0, "gtol": 0}
    start = time.perf_counter()
    found = minimize(cost_and_gradient, job.theta.astype(numpy.float64), jac=True, method="L-BFGS-B", options=options)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "iterations": int(found.nit), "evaluations": evaluations, "cost": float(found.fun)}


blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
versions = {"scipy": scipy.__version__, "numpy": numpy.__version__, "blas": f"{blas['name']} {blas['version']}"}
serve(versions, {"evaluate": evaluate, "minimize": run})
