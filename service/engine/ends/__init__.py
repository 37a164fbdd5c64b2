"""The end of a job in its worker: judged, and written in one transaction."""
