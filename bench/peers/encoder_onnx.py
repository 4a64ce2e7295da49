"""Writes the first layer of a job of bench/peers/ as FOLDER/encoder.onnx. See protocol.py.

    encoder_onnx.py FOLDER
"""

import sys

import onnx
from onnx import TensorProto, helper, numpy_helper
from protocol import Job

job = Job(sys.argv[1])
weights, biases = job.split(job.theta)[0]
hidden, inputs = weights.shape
graph = helper.make_graph(
    [helper.make_node("Gemm", ["x", "W", "b"], ["z"], transB=1), helper.make_node("Sigmoid", ["z"], ["codes"])],
    "encoder",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", inputs])],
    [helper.make_tensor_value_info("codes", TensorProto.FLOAT, ["rows", hidden])],
    [numpy_helper.from_array(weights, "W"), numpy_helper.from_array(biases, "b")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
onnx.checker.check_model(model)
onnx.save(model, str(job.folder / "encoder.onnx"))
