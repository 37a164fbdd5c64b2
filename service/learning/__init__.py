"""The mathematics of dense networks: NumPy, and nothing of the service around it."""

import sys

from service.learning.renamed import FormerAddresses

sys.meta_path.append(FormerAddresses())  # behind all others: what is there is found first
