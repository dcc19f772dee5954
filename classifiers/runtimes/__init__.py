"""What runs a model of each format: our own networks here, ONNX and scikit-learn in a confined child."""
