# What a read costs more with eight nodes than with one, on one machine: what nodes do by themselves, without any request, is in it eight times.
title='One node and eight, 10,000 keys of 100 bytes'
contenders='two-processes eight-nodes'
load='--pattern uniform --connections 64'
# So many processes that have just begun compile for a minute on two cores, and some keep a read waiting for longer than it may take.
settle=45 warm=12
