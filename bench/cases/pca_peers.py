"""Principal components by numpy and scikit-learn, for bench/cases/pca.ts: one answer in JSON a line.

    pca_peers.py FILE TYPE ROWS COLUMNS SCALE    then on standard input: numpy or scikit-learn, a line for each fit

Rows are read as they lie in FILE, TYPE uint8 or float32; a value is the number there times SCALE. Every fit starts from them.
"""

import json
import sys
import time

import numpy

try:
    import sklearn
    from sklearn.decomposition import PCA
except ImportError:
    sklearn = None

path, kind, rows, columns, scale = sys.argv[1:]
stored = numpy.fromfile(path, dtype=kind).reshape(int(rows), int(columns))


def numpy_fit():
    x = stored * float(scale) if kind == "uint8" else stored.astype(numpy.float64)
    x -= x.mean(axis=0)
    variances, vectors = numpy.linalg.eigh(x.T @ x / len(x))
    return variances[::-1], vectors


def sklearn_fit():
    x = stored * float(scale) if kind == "uint8" else stored.astype(numpy.float64)
    pca = PCA(svd_solver="covariance_eigh").fit(x)
    return pca.explained_variance_ * (len(x) - 1) / len(x), pca.components_


def answer(**values):
    print(json.dumps(values), flush=True)


# The solver that works on the covariance came with scikit-learn 1.5.
usable = sklearn is not None and tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 5)
answer(numpy=numpy.__version__, sklearn=sklearn.__version__ if usable else None)
for line in sys.stdin:
    fit = {"numpy": numpy_fit, "scikit-learn": sklearn_fit}[line.strip()]
    start = time.perf_counter()
    variances, _ = fit()
    seconds = time.perf_counter() - start
    answer(seconds=seconds, variances=[float(v) for v in variances[:10]])
