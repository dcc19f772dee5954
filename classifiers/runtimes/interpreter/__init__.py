"""ONNX graphs computed with torch, for their gradients. What scores in an audit is onnxruntime; see operators.py, graph.py."""
