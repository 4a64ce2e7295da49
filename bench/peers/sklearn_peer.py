"""scikit-learn's MLPRegressor as an autoencoder: sigmoid units, linear outputs, squared loss, weight decay, Adam. See protocol.py.

    sklearn_peer.py FOLDER
"""

import sys

import numpy
import sklearn
from protocol import Job, serve, window
from sklearn.neural_network import MLPRegressor

job = Job(sys.argv[1])
BATCHES_A_CALL = 20


def regressor():
    # It divides alpha by the rows of the batch.
    model = MLPRegressor(
        hidden_layer_sizes=(job.layers[0]["outputs"],), activation="logistic", solver="adam", alpha=job.decay * job.batch,
        batch_size=job.batch, learning_rate_init=job.rate, shuffle=False, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
    )  # fmt: skip
    first = job.rows[: job.batch]
    model.partial_fit(first, first)
    for l, (w, b) in enumerate(job.split(job.theta)):
        model.coefs_[l] = w.T.copy()
        model.intercepts_[l] = b.copy()
    # The next call makes another, on these arrays.
    del model._optimizer
    return model


model = None
at = 0


def some(batches):
    global at
    size = batches * job.batch
    if at + size > len(job.rows):
        at = 0
    x = job.rows[at : at + size]
    model.partial_fit(x, x)
    at += size
    return size


def prove(variant, steps):
    global model, at
    model, at = regressor(), 0
    some(steps)
    theta = [part for w, b in zip(model.coefs_, model.intercepts_) for part in (w.T.ravel(), b)]
    job.leave("theta_peer.f32", numpy.concatenate(theta))
    x = job.rows[: job.batch]
    error = model.predict(x) - x
    squares = sum(float((w * w).sum()) for w in model.coefs_)
    return {"cost": 0.5 / len(x) * float((error * error).sum()) + job.decay / 2 * squares}


def train(variant, seconds):
    some(BATCHES_A_CALL)
    return window(seconds, lambda: some(BATCHES_A_CALL))


serve({"scikit-learn": sklearn.__version__, "numpy": numpy.__version__}, {"prove": prove, "train": train})
