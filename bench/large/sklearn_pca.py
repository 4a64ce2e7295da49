"""scikit-learn's IncrementalPCA on the rows of a job of bench/large/, read by numpy.memmap batch by batch.

    sklearn_pca.py FOLDER

Requests and answers in JSON, one a line: see bench/peers/protocol.py.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))

import numpy
import sklearn
from protocol import serve
from sklearn.decomposition import IncrementalPCA

job = json.loads((Path(sys.argv[1]) / "job.json").read_text())
inputs = job["inputs"]
shards = [
    numpy.memmap(s["path"], job["type"], "r", offset=s["offset"], shape=(s["rows"], inputs)) for s in job["segments"]
]


def batches(rows, size):
    """Of `size` rows, but at the end of a shard, where fewer would be too few for a step, those join the batch before."""
    left = rows
    for shard in shards:
        count = min(left, len(shard))
        left -= count
        ends = list(range(size, count - size + 1, size)) + [count]
        for begin, end in zip([0, *ends], ends):
            yield shard[begin:end]


def pca(rows, components):
    start = time.perf_counter()
    model = IncrementalPCA(n_components=components)
    for stored in batches(rows, 5 * inputs):
        model.partial_fit(stored.astype(numpy.float32) * numpy.float32(job["scale"]))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "variances": [float(v) for v in model.explained_variance_]}


serve({"scikit-learn": sklearn.__version__, "numpy": numpy.__version__}, {"pca": pca})
