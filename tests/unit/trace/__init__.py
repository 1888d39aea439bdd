"""Tests of `engine/trace`."""
