"""The audit past one machine: the same checks over shards, joined by Ray Data.

Ray and not Spark, because its wheels need nothing else on the machines, no Java beside the GPUs, and because a shard is then looked at by
the same Python code as all rows are where one machine holds them.
"""
