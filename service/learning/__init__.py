"""The mathematics of dense networks: NumPy, and nothing of the service around it."""
