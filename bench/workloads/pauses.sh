# How long a node that holds much keeps everybody waiting, at half of the most that it does with 10 % writes, for ten minutes.
# Each contender by itself.
title='Ten million keys of 100 bytes in memory, 10 % writes, at half of the most for ten minutes'
contenders='two-processes two-processes-no-copies'
measure=pauses keys=10000000 capacity=11000000 capacity_bytes=2500000000 lasts=${LASTS:-600}
load='--pattern uniform --connections 64 --writes 0.1'
