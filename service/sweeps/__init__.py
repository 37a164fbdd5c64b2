"""Sweeps: many trainings that differ in their recipe or architecture, as one object, ranked."""
