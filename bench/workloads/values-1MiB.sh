# Larger values: what is copied from process to process, and into JSON. They fit into every contender's memory, copies at gateways included.
# Without the Python program, which larger values would only make slower, and without the larger cluster, which handles a value as the smaller one does.
title='32 keys of 1 MiB, 16 connections'
contenders='webdis nginx-lua hybrid-cache all-in-one two-processes two-processes-no-copies'
keys=32 bytes=1048576
load='--pattern uniform --connections 16'
