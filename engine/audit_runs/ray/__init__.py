"""The audit over shards on a Ray cluster, joined by Ray Data.

Ray and not Spark, because its wheels need nothing else on the machines (no Java next to the GPUs), and because a shard then runs through
the same Python code as all rows do on one machine.
"""
