# What a read costs more with eight nodes than with one, on one machine: what nodes do by themselves, without any request, is in it eight times.
title='One node and eight, 10,000 keys of 100 bytes'
warm=12
contenders='two-processes eight-nodes two-processes-no-copies eight-nodes-no-copies'
load='--pattern uniform --connections 64'
# For a time after its start a process compiles much; eight of them take longer over it than one.
