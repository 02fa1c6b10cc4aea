# Larger values: what is copied from process to process, and into JSON.
# Without the Python program, which larger values would only make slower, and without the larger cluster, which handles a value as the smaller one does.
title='500 keys of 64 KiB'
contenders='webdis nginx-lua hybrid-cache all-in-one two-processes two-processes-no-copies'
keys=500 bytes=65536
load='--pattern uniform --connections 64'
